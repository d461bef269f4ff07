import { constantOf, storedTensor } from '../analysis/index.ts';
import { internalError } from '../foundation/index.ts';
import { addNode, float32Tensor, type Graph, intsAttribute, type Node, replaceNode, type Value } from '../ir/index.ts';
import type { WeightScheme } from '../plan/index.ts';
import { add, quantizedActivation, scaled } from './emit.ts';
import type { StoredWeight, WeightStore } from './weight-store.ts';
import type { WeightUse } from './weight-use.ts';

/**
 * MatMul or Gemm on a weight becomes DynamicQuantizeLinear, MatMulInteger, Cast and two Mul: the form that ONNX
 * Runtime fuses into DynamicQuantizeMatMul or MatMulIntegerToFloat, a constant bias behind it included.
 * @source research: algorithms.md sections 1.1 and 1.2
 */
export function realizeMatMul(node: Node, scheme: WeightScheme, store: WeightStore, opset: number): void {
  const { graph } = node;
  const [activation, operand, bias] = node.inputs;
  const weight = operand && constantOf(operand);
  if (!graph || !activation || !weight) throw internalError(`${node.op} "${node.name ?? ''}" has no constant weight.`);
  const use = matrixUse(node, scheme);
  const stored = store.tiedTable(weight, use) ?? store.weight(weight, use);
  const inputs: Product = { graph, node, activation, stored };
  const product = opset < 11 ? contribProduct(inputs) : integerProduct(inputs);
  replaceNode(node, bias ? withBias(inputs, product, bias) : product);
}

/** How MatMul or Gemm reads its weight; uint8 on the grid of int8. */
export const matrixUse = (node: Node, scheme: WeightScheme): Extract<WeightUse, { kind: 'matrix' }> => ({
  kind: 'matrix',
  scheme,
  flip: node.int('transB', 0) === 1,
  alpha: node.float('alpha', 1),
  sameGrid: scheme.elementType === 'uint8',
});

function withBias({ graph, node }: Product, product: Value, bias: Value): Value {
  const output = node.outputs[0]?.name;
  product.name ??= output && `${output}_MatMul`;
  return add(graph, node, 'Add', [product, scaledBias(bias, node, graph)], '_bias_add');
}

interface Product {
  readonly graph: Graph;
  readonly node: Node;
  readonly activation: Value;
  readonly stored: StoredWeight;
}

function integerProduct({ graph, node, activation, stored }: Product): Value {
  const { quantized, scale, zeroPoint } = quantizedActivation(activation, graph, node);
  const operands = [quantized, matrixOf(stored, graph, node), zeroPoint, weightZeroPoint(stored)];
  const product = add(graph, node, 'MatMulInteger', operands, '_quant');
  return scaled(graph, node, product, [scale, weightScale(stored, graph, node)]);
}

/** Before opset 11 there is no DynamicQuantizeLinear: the runtime's own fused operator serves any opset. */
function contribProduct({ graph, node, activation, stored }: Product): Value {
  const inputs = [activation, matrixOf(stored, graph, node), weightScale(stored, graph, node), weightZeroPoint(stored)];
  const name = node.name && `${node.name}_quant`;
  const made = addNode(graph, 'DynamicQuantizeMatMul', { inputs, name, domain: 'com.microsoft' }, node);
  return made.outputs[0] as Value;
}

/** The int8 matrix [K, N]; a tied table is transposed where it is read, which the runtime folds when it loads. */
export function matrixOf(stored: StoredWeight, graph: Graph, reader: Node): Value {
  if (!stored.isTable) return stored.quantized;
  const name = stored.quantized.name && `${stored.quantized.name}_transpose`;
  return addNode(
    graph,
    'Transpose',
    { inputs: [stored.quantized], name, attributes: { perm: intsAttribute([1, 0]) } },
    reader,
  ).outputs[0] as Value;
}

/** Scales of a table are [V, 1]; a product wants [1, V], the same numbers. */
export function weightScale(stored: StoredWeight, graph: Graph, reader: Node): Value {
  if (!stored.isTable) return stored.scale;
  return addNode(graph, 'Transpose', { inputs: [stored.scale], attributes: { perm: intsAttribute([1, 0]) } }, reader)
    .outputs[0] as Value;
}

/** A symmetric table has no zero point to speak of: none is given. */
function weightZeroPoint(stored: StoredWeight): Value | undefined {
  return stored.isTable ? undefined : stored.zeroPoint;
}

/** beta · C; folded when C is stored, multiplied in the graph when it is computed. */
export function scaledBias(bias: Value, node: Node, graph: Graph): Value {
  const beta = node.float('beta', 1);
  if (beta === 1) return bias;
  const stored = storedTensor(bias);
  if (stored?.elementType === 'float32') {
    const values = new Float32Array(stored.bytes().slice().buffer).map((value) => value * beta);
    return graph.addInitializer(float32Tensor(stored.dims, values), bias.name && `${bias.name}_scaled`);
  }
  const factor = graph.addInitializer(float32Tensor([], [beta]), undefined);
  return add(graph, node, 'Mul', [bias, factor], '_beta_mul');
}
