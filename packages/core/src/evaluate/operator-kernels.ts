import { constantOf } from '../analysis/index.ts';
import type { KernelShape } from '../backend/index.ts';
import { elementCount, type Node, type Value } from '../ir/index.ts';

export type ShapeOf = (value: Value) => readonly number[] | undefined;

/** One kernel at one shape; `count` of them. */
export interface KernelUse {
  readonly kernel: string;
  readonly shape: KernelShape;
  readonly count: number;
  /** Weights that it reads, where they are constant. */
  readonly weights: number;
}

/** The width at which elementwise kernels were timed: their time depends on the number of elements alone. */
const elementwiseWidth = 128;

/** So many elements, as elementwise kernels were timed. */
export const elementwiseShape = (count: number): KernelShape => ({
  rows: count / elementwiseWidth,
  depth: 1,
  columns: elementwiseWidth,
});

const elementwise = (kernel: string, count: number): KernelUse => ({
  kernel,
  shape: elementwiseShape(count),
  count: 1,
  weights: 0,
});

/** Operators by the kernel that takes about as long for each element of the output. */
const elementwiseKernels: ReadonlyMap<string, string> = new Map([
  ...['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Where', 'Equal', 'And', 'Less', 'Greater'].map((op) => [op, 'add'] as const),
  ...['Exp', 'Sigmoid', 'HardSigmoid', 'HardSwish', 'QuickGelu'].map((op) => [op, 'sigmoid'] as const),
  ['Sqrt', 'sqrt'],
  ['Erf', 'erf'],
  ['Tanh', 'tanh'],
  ['Gelu', 'gelu'],
  ['FastGelu', 'gelu-fast'],
  ['BiasGelu', 'gelu-bias'],
  ['Transpose', 'transpose'],
  ['QuantizeLinear', 'quantize'],
  ['DynamicQuantizeLinear', 'quantize-dynamic'],
  ['DequantizeLinear', 'dequantize'],
]);

/** Operators that work on rows along the last axis. */
const rowKernels: ReadonlyMap<string, string> = new Map([
  ['Softmax', 'softmax'],
  ['LogSoftmax', 'softmax'],
  ['LayerNormalization', 'layer-norm'],
  ['SimplifiedLayerNormalization', 'layer-norm'],
  ['RMSNormalization', 'layer-norm'],
  ['SkipLayerNormalization', 'skip-layer-norm'],
  ['SkipSimplifiedLayerNormalization', 'skip-layer-norm'],
  ['ReduceMean', 'reduce-mean'],
  ['ReduceSum', 'reduce-mean'],
  ['ReduceMax', 'reduce-mean'],
]);

/** Operators that give another view of what they get. */
const views = new Set(['Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Identity', 'Shape', 'Constant', 'Size']);

/**
 * The float kernels that a node is, by the shapes that occur; of operators that nobody has timed, a copy of their output.
 * Empty where a shape is not known.
 */
export function kernelsOf(node: Node, shapeOf: ShapeOf): readonly KernelUse[] {
  const product = productOf(node, shapeOf);
  if (product) return product;
  const [input, output] = [node.inputs[0] && shapeOf(node.inputs[0]), node.outputs[0] && shapeOf(node.outputs[0])];
  if (node.op === 'Conv' || node.op === 'FusedConv') return convolution(node, output);
  const row = rowKernels.get(node.op);
  if (row && input) {
    const columns = input.at(-1) ?? 1;
    return [{ kernel: row, shape: { rows: elementCount(input) / columns, depth: 1, columns }, count: 1, weights: 0 }];
  }
  if (views.has(node.op)) return [elementwise('relu', 1)];
  // DynamicQuantizeLinear and its like give more than one output: the first one is as large as the input.
  return output ? [elementwise(elementwiseKernels.get(node.op) ?? 'relu', elementCount(output))] : [];
}

/** Matrix products, with a weight or without, and attention with them inside. */
function productOf(node: Node, shapeOf: ShapeOf): readonly KernelUse[] | undefined {
  const shape = weightedProductOf(node, shapeOf);
  if (shape) {
    const product = { kernel: 'matmul-float32', shape, count: 1, weights: shape.depth * shape.columns };
    return node.op === 'Attention' ? [product, ...attentionOf(node, 'attention-multi-head', shapeOf)] : [product];
  }
  if (node.op === 'MultiHeadAttention') return attentionOf(node, 'attention-multi-head', shapeOf);
  return node.op === 'MatMul' || node.op === 'FusedMatMul' ? computedProduct(node, shapeOf) : undefined;
}

/**
 * Sizes of a product with a constant matrix: rows of the activation, K, N. `undefined` for everything else. The fused
 * Attention has its projections in one such product.
 */
export function weightedProductOf(node: Node, shapeOf: ShapeOf): KernelShape | undefined {
  if (!['MatMul', 'Gemm', 'FusedMatMul', 'FusedGemm', 'Attention'].includes(node.op)) return undefined;
  const [source, operand] = node.inputs;
  const input = source && shapeOf(source);
  const weight = operand && constantOf(operand)?.dims;
  if (!input || weight?.length !== 2) return undefined;
  const isFlipped = node.int('transB', 0) === 1;
  const [depth, columns] = (isFlipped ? [weight[1], weight[0]] : weight) as [number, number];
  return { rows: elementCount(input) / depth, depth, columns };
}

/** One small matrix for each head and sample. */
function computedProduct(node: Node, shapeOf: ShapeOf): readonly KernelUse[] {
  const [first, output] = [node.inputs[0] && shapeOf(node.inputs[0]), node.outputs[0] && shapeOf(node.outputs[0])];
  if (!first || !output || output.length === 0) return [];
  const [rows, columns] = [output.at(-2) ?? 1, output.at(-1) as number];
  const depth = (node.int('transA', 0) === 1 ? first.at(-2) : first.at(-1)) ?? 1;
  const count = elementCount(output) / (rows * columns);
  return [{ kernel: 'matmul-float32-computed', shape: { rows, depth, columns }, count, weights: 0 }];
}

/** Attention without its projections. */
export function attentionOf(node: Node, kernel: string, shapeOf: ShapeOf): readonly KernelUse[] {
  const output = node.outputs[0] && shapeOf(node.outputs[0]);
  if (output?.length !== 3) return [];
  const [batch, rows, width] = output as [number, number, number];
  const columns = node.int('num_heads', 1);
  return [{ kernel, shape: { rows, depth: width / columns, columns }, count: batch, weights: 0 }];
}

function convolution(node: Node, output: readonly number[] | undefined): readonly KernelUse[] {
  const weight = node.inputs[1] && constantOf(node.inputs[1])?.dims;
  if (!output || !weight || weight.length < 3) return [];
  const [batch = 1, , ...positions] = output;
  const [columns, ...filter] = weight as [number, ...number[]];
  const group = node.int('group', 1);
  const isPoint = filter.slice(1).every((size) => size === 1);
  const kind = group > 1 && group === columns ? 'depthwise' : isPoint ? '1x1' : '3x3';
  const shape = { rows: batch * elementCount(positions), depth: elementCount(filter), columns };
  return [{ kernel: `conv-float32-${kind}`, shape, count: 1, weights: elementCount(weight) }];
}
