import {
  addNode,
  type Graph,
  intsAttribute,
  type Model,
  type Node,
  replaceNode,
  Value,
  walkGraphs,
} from '../ir/index.ts';

/**
 * Gemm with alpha = beta = 1 and no transposed activation becomes MatMul and Add, as Python's quantizer makes it before
 * anything else: the product of output `y` is named `y_MatMul`. A transposed weight gets a Transpose in front. Returns
 * how many were split.
 */
export function splitGemm(model: Model): number {
  let count = 0;
  for (const graph of walkGraphs(model)) {
    for (const node of [...graph.nodes()]) {
      if (!node.is('Gemm') || !isPlain(node)) continue;
      split(node, graph);
      count++;
    }
  }
  return count;
}

const isPlain = (node: Node): boolean =>
  node.int('transA', 0) === 0 && node.float('alpha', 1) === 1 && node.float('beta', 1) === 1;

function split(node: Node, graph: Graph): void {
  const [activation, operand, bias] = node.inputs;
  const output = node.outputs[0];
  if (!activation || !operand || !output) return;
  const isTransposed = node.int('transB', 0) === 1;
  const weight = isTransposed ? transposed(operand, node, graph) : operand;
  const named = (suffix: string): string | undefined => node.name && `${node.name}${suffix}`;
  const product = new Value(bias && output.name ? `${output.name}_MatMul` : undefined);
  addNode(graph, 'MatMul', { inputs: [activation, weight], outputs: [product], name: named('_MatMul') }, node);
  const result = bias
    ? addNode(graph, 'Add', { inputs: [product, bias], name: named('_Add') }, node).outputs[0]
    : product;
  replaceNode(node, result as Value);
}

const transposed = (operand: Value, node: Node, graph: Graph): Value =>
  addNode(graph, 'Transpose', { inputs: [operand], attributes: { perm: intsAttribute([1, 0]) } }, node)
    .outputs[0] as Value;
