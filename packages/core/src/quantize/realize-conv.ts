import { constantOf } from '../analysis/index.ts';
import { internalError } from '../foundation/index.ts';
import { type Graph, int64Tensor, type Node, replaceNode, type Value } from '../ir/index.ts';
import type { WeightScheme } from '../plan/index.ts';
import { add, quantizedActivation, scaled } from './emit.ts';
import type { WeightStore } from './weight-store.ts';

/**
 * Conv becomes DynamicQuantizeLinear, ConvInteger, Cast and two Mul, with its bias added behind, as Python's tool makes
 * it. The runtime fuses none of it: only recipes that ask for this form get it.
 * @source research: algorithms.md section 1.1
 */
export function realizeConv(node: Node, scheme: WeightScheme, store: WeightStore): void {
  const { graph } = node;
  const [activation, operand, bias] = node.inputs;
  const weight = operand && constantOf(operand);
  if (!graph || !activation || !weight) throw internalError(`Conv "${node.name ?? ''}" has no constant filters.`);
  const stored = store.weight(weight, { kind: 'filters', scheme, inputFirst: false, sameGrid: false });
  const { quantized, scale, zeroPoint } = quantizedActivation(activation, graph, node);
  const operands = [quantized, stored.quantized, zeroPoint, stored.zeroPoint];
  const sum = add(graph, node, 'ConvInteger', operands, '_quant', node.attributes);
  const result = scaled(graph, node, sum, [scale, stored.scale]);
  replaceNode(node, bias ? withBias(graph, node, result, bias, weight.dims.length) : result);
}

/** A bias [C] is added to [N, C, …]. */
function withBias(graph: Graph, node: Node, result: Value, bias: Value, rank: number): Value {
  const dims = Array.from({ length: rank }, (_, axis) => (axis === 1 ? -1 : 1));
  const shape = graph.addInitializer(int64Tensor([rank], dims), bias.name && `${bias.name}_reshape_shape`);
  const reshaped = add(graph, node, 'Reshape', [bias, shape], '_bias_reshape');
  return add(graph, node, 'Add', [result, reshaped], '_bias_add');
}
