import { constantOf } from '../analysis/index.ts';
import type { Graph, Node, Value } from '../ir/index.ts';
import { add } from './emit.ts';
import { emitQdq } from './emit-qdq.ts';
import { emitFloatProduct, emitQOperator } from './emit-qoperator.ts';
import { scaledBias } from './realize-matmul.ts';
import { isIn8Bits, replaceOutputs, replaceValue, type StaticContext } from './static-context.ts';
import type { StaticInput, StaticWork } from './static-operands.ts';

/**
 * A product whose result goes on in float: bias, Gelu, normalization and residual behind it lose nothing. In both forms
 * it is an operator of the runtime's own. Its QDQ form the runtime fuses or not by what stands behind: an Add makes it a
 * Gemm with a float bias and a Relu a FusedGemm before anything is fused, and then its weights become floats on every
 * run; so does a QuantizeLinear that reads it beside others.
 * @param addend a bias of Gemm that cannot be added to integers; it is added behind, times beta
 * @source research: runtime.md fact 3; tried with onnxruntime 1.30: MatMul and Add, MatMul, Relu and Mul, Gemm and Relu
 */
export function realizeFloatProduct(
  work: StaticWork,
  inputs: readonly StaticInput[],
  addend: Value | undefined,
  context: StaticContext,
): void {
  const { node, writes } = work;
  if (!addend && writes.length === 0 && node.is('MatMul') && takeInBias(work, inputs, context)) return;
  const product = isIn8Bits(work, context.values)
    ? emitDirect(work, inputs, context)
    : emitQdq(node, inputs, context.values);
  const result = withAddend(node, product[0] as Value, addend);
  const [old] = node.outputs as [Value];
  const given = writes.length > 0 ? context.values.give({ float: result }, old, node) : result;
  if (writes.length === 0) context.values.takePlace(old, result);
  replaceOutputs(node, [given]);
}

function emitDirect({ node, placement }: StaticWork, inputs: readonly StaticInput[], { opset }: StaticContext) {
  if (node.is('MatMul')) return emitFloatProduct({ node, inputs, position: node, bias: undefined });
  return emitQOperator({ node, placement, inputs, output: undefined, opset });
}

function withAddend(node: Node, product: Value, addend: Value | undefined): Value {
  const graph = node.graph as Graph;
  return addend ? add(graph, node, 'Add', [product, scaledBias(addend, node, graph)], '_bias_add') : product;
}

/** Makes a product and the Add of a stored bias [N] behind it one operator. */
function takeInBias(work: StaticWork, inputs: readonly StaticInput[], context: StaticContext): boolean {
  const { node } = work;
  const behind = isIn8Bits(work, context.values) ? biasBehind(node, context.isStatic) : undefined;
  if (!behind) return false;
  const { sum, bias } = behind;
  const [product] = emitFloatProduct({ node, inputs, position: sum, bias });
  const [old] = sum.outputs as [Value];
  context.values.takePlace(old, product as Value);
  replaceValue(old, product as Value);
  sum.graph?.remove(sum);
  node.graph?.remove(node);
  return true;
}

/** The Add that puts a stored bias [N] behind a product which nothing else reads. */
function biasBehind(
  { inputs, outputs, graph }: Node,
  isStatic: (node: Node) => boolean,
): { readonly sum: Node; readonly bias: Value } | undefined {
  const [use, ...others] = outputs[0]?.uses ?? [];
  if (use?.kind !== 'input' || others.length > 0 || !use.node.is('Add') || use.node.graph !== graph) return undefined;
  const bias = use.node.inputs[1 - use.index];
  const stored = bias && constantOf(bias);
  const channels = inputs[1] && constantOf(inputs[1])?.dims[1];
  if (!bias || stored?.elementType !== 'float32' || isStatic(use.node)) return undefined;
  return stored.dims.length === 1 && stored.dims[0] === channels ? { sum: use.node, bias } : undefined;
}
