import type { Node } from '../../ir/index.ts';

/** Where an operator reads one of its 8-bit operands: input numbers. */
export interface IntegerSlot {
  readonly data: number;
  /** Absent where the operator hands out sums, which are scaled behind it. */
  readonly scale?: number;
  readonly zeroPoint: number;
  /** `weight`: may have another 8-bit type than the activations. */
  readonly role: 'activation' | 'weight';
}

/** Where an operator reads scale and zero point of its 8-bit output. */
export interface OutputSlot {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** An operator with 8-bit operands. All its activations, its output included, have one element type. */
export interface IntegerOperator {
  readonly operands: readonly IntegerSlot[];
  readonly output?: OutputSlot;
}

const contrib = 'com.microsoft';

const activation = (data: number, scale: number | undefined, zeroPoint: number): IntegerSlot => ({
  data,
  ...(scale !== undefined && { scale }),
  zeroPoint,
  role: 'activation',
});
const weight = (data: number, scale: number | undefined, zeroPoint: number): IntegerSlot => ({
  ...activation(data, scale, zeroPoint),
  role: 'weight',
});

const linearProduct: IntegerOperator = {
  operands: [activation(0, 1, 2), weight(3, 4, 5)],
  output: { scale: 6, zeroPoint: 7 },
};
const sum: IntegerOperator = { operands: [activation(0, undefined, 2), weight(1, undefined, 3)] };
const binary: IntegerOperator = {
  operands: [activation(0, 1, 2), activation(3, 4, 5)],
  output: { scale: 6, zeroPoint: 7 },
};
const unary: IntegerOperator = { operands: [activation(0, 1, 2)], output: { scale: 3, zeroPoint: 4 } };

/** @source onnx and onnxruntime contrib_ops operator definitions of the operators named here */
const operators: Readonly<Record<string, readonly [domain: string, operator: IntegerOperator]>> = {
  MatMulInteger: ['', sum],
  ConvInteger: ['', sum],
  QLinearMatMul: ['', linearProduct],
  QLinearConv: ['', linearProduct],
  QGemm: [contrib, { operands: linearProduct.operands, output: { scale: 7, zeroPoint: 8 } }],
  MatMulIntegerToFloat: [contrib, { operands: [activation(0, 2, 4), weight(1, 3, 5)] }],
  DynamicQuantizeMatMul: [contrib, { operands: [weight(1, 2, 3)] }],
  QAttention: [contrib, { operands: [activation(0, 3, 6), weight(1, 4, 7)] }],
  QLinearAdd: [contrib, binary],
  QLinearMul: [contrib, binary],
  QLinearSigmoid: [contrib, unary],
  QLinearLeakyRelu: [contrib, unary],
  QLinearSoftmax: [contrib, unary],
  QLinearAveragePool: [contrib, unary],
  QLinearGlobalAveragePool: [contrib, unary],
  QLinearWhere: [contrib, { operands: [activation(1, 2, 3), activation(4, 5, 6)], output: { scale: 7, zeroPoint: 8 } }],
  DequantizeLinear: ['', { operands: [weight(0, 1, 2)] }],
  QuantizeLinear: ['', { operands: [], output: { scale: 1, zeroPoint: 2 } }],
};

/** The 8-bit operands of a node; `undefined` for an operator that has none, or that is not known. */
export function integerOperator(node: Node): IntegerOperator | undefined {
  if (node.is('QLinearConcat', contrib)) return concatenation(node);
  const [domain, operator] = (Object.hasOwn(operators, node.op) && operators[node.op]) || [];
  if (!operator || node.domain !== domain) return undefined;
  const hasOutput = operator.output && (node.op !== 'QGemm' || node.inputs[operator.output.scale] !== undefined);
  return hasOutput ? operator : { operands: operator.operands };
}

/** Scale and zero point of the output come first, then data, scale and zero point of each input. */
function concatenation({ inputs }: Node): IntegerOperator {
  const count = Math.floor((inputs.length - 2) / 3);
  return {
    operands: Array.from({ length: count }, (_, index) => activation(2 + 3 * index, 3 + 3 * index, 4 + 3 * index)),
    output: { scale: 0, zeroPoint: 1 },
  };
}

/** Which inputs of operators that only move numbers are moved. `all`: every one. */
const movedInputs: Readonly<Record<string, readonly number[] | 'all'>> = {
  Identity: [0],
  Reshape: [0],
  Transpose: [0],
  Squeeze: [0],
  Unsqueeze: [0],
  Flatten: [0],
  Slice: [0],
  Split: [0],
  Expand: [0],
  Tile: [0],
  Gather: [0],
  GatherElements: [0],
  GatherND: [0],
  MaxPool: [0],
  ReduceMax: [0],
  ReduceMin: [0],
  DepthToSpace: [0],
  SpaceToDepth: [0],
  Concat: 'all',
  Where: [1, 2],
};

/**
 * The inputs whose numbers an operator hands on as they are, in another place or order: it does the same to numbers that
 * are all shifted by one amount. `undefined` for every other operator.
 */
export function movedBy(node: Node): readonly number[] | undefined {
  if (node.domain !== '' || !Object.hasOwn(movedInputs, node.op)) return undefined;
  const moved = movedInputs[node.op];
  return moved === 'all' ? node.inputs.map((_, index) => index) : moved;
}
