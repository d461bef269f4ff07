import { constantOf, storedTensor } from '../analysis/index.ts';
import { internalError } from '../foundation/index.ts';
import { addNode, float32Tensor, type Graph, intAttribute, intsAttribute, type Node, type Value } from '../ir/index.ts';
import type { WeightScheme } from '../plan/index.ts';
import type { StoredWeight, WeightStore } from './weight-store.ts';

const float32 = 1;

/**
 * MatMul or Gemm on a weight becomes DynamicQuantizeLinear, MatMulInteger, Cast and two Mul: the form that ONNX
 * Runtime fuses into DynamicQuantizeMatMul or MatMulIntegerToFloat, a constant bias behind it included.
 * @source research: algorithms.md sections 1.1 and 1.2
 */
export function realizeMatMul(node: Node, scheme: WeightScheme, store: WeightStore, opset: number): void {
  const { graph } = node;
  const [activation, operand, bias] = node.inputs;
  const weight = operand && constantOf(operand);
  const output = node.outputs[0];
  if (!graph || !activation || !weight || !output)
    throw internalError(`${node.op} "${node.name ?? ''}" has no constant weight.`);
  const stored = store.matrix(weight, node.int('transB', 0) === 1, scheme, node.float('alpha', 1));
  const inputs: Product = { graph, node, activation, stored };
  const product = opset < 11 ? contribProduct(inputs) : integerProduct(inputs);
  const result = bias ? add(graph, node, 'Add', [product, scaledBias(bias, node, graph)], '_bias_add') : product;
  result.type = output.type;
  output.replaceAllUsesWith(result);
  if (output.name !== undefined && !result.name) moveName(output, result);
  graph.remove(node);
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
  const cast = add(graph, node, 'Cast', [product], '_cast', { to: intAttribute(float32) });
  const scales = add(graph, node, 'Mul', [scale, weightScale(stored, graph, node)], '_scales_mul');
  return add(graph, node, 'Mul', [cast, scales], '_output_scale_mul');
}

/** Before opset 11 there is no DynamicQuantizeLinear: the runtime's own fused operator serves any opset. */
function contribProduct({ graph, node, activation, stored }: Product): Value {
  const inputs = [activation, matrixOf(stored, graph, node), weightScale(stored, graph, node), weightZeroPoint(stored)];
  const name = node.name && `${node.name}_quant`;
  const made = addNode(graph, 'DynamicQuantizeMatMul', { inputs, name, domain: 'com.microsoft' }, node);
  return made.outputs[0] as Value;
}

/** The output keeps its name, so that a reader of the new graph finds its way. */
function moveName(from: Value, to: Value): void {
  to.name = from.name;
  from.name = undefined;
}

function add(
  graph: Graph,
  position: Node,
  op: string,
  inputs: readonly (Value | undefined)[],
  suffix: string,
  attributes = {},
): Value {
  const name = position.name ? `${position.name}${suffix}` : undefined;
  const made = addNode(graph, op, { inputs, attributes, name }, position);
  return made.outputs[0] as Value;
}

/** One DynamicQuantizeLinear for all readers of a value in a graph. */
function quantizedActivation(
  value: Value,
  graph: Graph,
  reader: Node,
): { quantized: Value; scale: Value; zeroPoint: Value } {
  const existing = value.consumers.find((node) => node.is('DynamicQuantizeLinear') && node.graph === graph);
  const node = existing ?? quantizeBefore(value, graph, reader);
  const [quantized, scale, zeroPoint] = node.outputs as [Value, Value, Value];
  return { quantized, scale, zeroPoint };
}

function quantizeBefore(value: Value, graph: Graph, reader: Node): Node {
  const name = value.name && `${value.name}_QuantizeLinear`;
  return addNode(
    graph,
    'DynamicQuantizeLinear',
    { inputs: [value], name, outputTypes: [undefined, undefined, undefined] },
    reader,
  );
}

/** The int8 matrix [K, N]; a tied table is transposed where it is read, which the runtime folds when it loads. */
function matrixOf(stored: StoredWeight, graph: Graph, reader: Node): Value {
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
function weightScale(stored: StoredWeight, graph: Graph, reader: Node): Value {
  if (!stored.isTable) return stored.scale;
  return addNode(graph, 'Transpose', { inputs: [stored.scale], attributes: { perm: intsAttribute([1, 0]) } }, reader)
    .outputs[0] as Value;
}

/** A symmetric table has no zero point to speak of: none is given. */
function weightZeroPoint(stored: StoredWeight): Value | undefined {
  return stored.isTable ? undefined : stored.zeroPoint;
}

/** beta · C; folded when C is stored, multiplied in the graph when it is computed. */
function scaledBias(bias: Value, node: Node, graph: Graph): Value {
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
