/** The messages of ONNX, as far as a mutator needs them: which fields hold which message. @source onnx.proto */
export const messages = {
  Model: { 7: 'Graph', 8: 'OpsetImport', 14: 'Entry', 20: 'Training', 25: 'Function' },
  Graph: { 1: 'Node', 5: 'Tensor', 11: 'ValueInfo', 12: 'ValueInfo', 13: 'ValueInfo', 15: 'SparseTensor', 16: 'Entry' },
  Node: { 5: 'Attribute', 9: 'Entry' },
  Attribute: {
    5: 'Tensor',
    6: 'Graph',
    10: 'Tensor',
    11: 'Graph',
    14: 'Type',
    15: 'Type',
    22: 'SparseTensor',
    23: 'SparseTensor',
  },
  Function: { 7: 'Node', 9: 'OpsetImport', 11: 'Attribute', 12: 'ValueInfo', 14: 'Entry' },
  Tensor: { 13: 'Entry', 16: 'Entry' },
  SparseTensor: { 1: 'Tensor', 2: 'Tensor' },
  ValueInfo: { 2: 'Type', 4: 'Entry' },
  Type: { 1: 'TensorType', 4: 'Container', 5: 'Map', 8: 'TensorType', 9: 'Container' },
  TensorType: { 2: 'Shape' },
  Container: { 1: 'Type' },
  Map: { 2: 'Type' },
  Shape: { 1: 'Dim' },
  Dim: {},
  Entry: {},
  OpsetImport: {},
  Training: { 1: 'Graph', 2: 'Graph', 3: 'Entry', 4: 'Entry' },
} as const satisfies Record<string, Readonly<Record<number, string>>>;

export type MessageType = keyof typeof messages;

/** The message in a field, or `undefined` for numbers, strings and fields that are not known. */
export const messageIn = (type: MessageType, field: number): MessageType | undefined =>
  (messages[type] as Readonly<Record<number, MessageType>>)[field];

/** Fields that hold names. */
const names: Readonly<Partial<Record<MessageType, readonly number[]>>> = {
  Graph: [2],
  Node: [1, 2, 3, 4, 7, 8],
  Attribute: [1, 21],
  Function: [1, 4, 5, 6, 10, 13],
  Tensor: [8],
  ValueInfo: [1],
  Dim: [2],
  Entry: [1, 2],
  OpsetImport: [1],
};

export const isName = (type: MessageType, field: number): boolean => names[type]?.includes(field) ?? false;
