import type { Attribute } from '../ir/index.ts';

export interface AttributeKind {
  readonly type: Attribute['type'];
  /** The field of AttributeProto that holds the value. */
  readonly field: number;
  /** As ONNX spells it. */
  readonly name: string;
}

/** By number. @source onnx.proto, AttributeProto.AttributeType */
export const attributeKinds: ReadonlyMap<number, AttributeKind> = new Map([
  [1, { type: 'float', field: 2, name: 'FLOAT' }],
  [2, { type: 'int', field: 3, name: 'INT' }],
  [3, { type: 'string', field: 4, name: 'STRING' }],
  [4, { type: 'tensor', field: 5, name: 'TENSOR' }],
  [5, { type: 'graph', field: 6, name: 'GRAPH' }],
  [6, { type: 'floats', field: 7, name: 'FLOATS' }],
  [7, { type: 'ints', field: 8, name: 'INTS' }],
  [8, { type: 'strings', field: 9, name: 'STRINGS' }],
  [9, { type: 'tensors', field: 10, name: 'TENSORS' }],
  [10, { type: 'graphs', field: 11, name: 'GRAPHS' }],
  [11, { type: 'opaque', field: 22, name: 'SPARSE_TENSOR' }],
  [12, { type: 'opaque', field: 23, name: 'SPARSE_TENSORS' }],
  [13, { type: 'opaque', field: 14, name: 'TYPE_PROTO' }],
  [14, { type: 'opaque', field: 15, name: 'TYPE_PROTOS' }],
]);

const byField = new Map([...attributeKinds.values()].map((kind) => [kind.field, kind]));
const codes = new Map([...attributeKinds].map(([code, { type }]) => [type, code]));

export const kindOfField = (field: number): AttributeKind | undefined => byField.get(field);

/** The number of a type; none for those that stand for several or for none. */
export const codeOfKind = (type: string): number | undefined =>
  type === 'opaque' || type === 'ref' ? undefined : codes.get(type as Attribute['type']);
