import { addNode, type Graph, type Node, type Value } from '../ir/index.ts';
import type { IntegerValues } from './integer-values.ts';
import { isOperand, type StaticInput } from './static-operands.ts';

/**
 * The float operator between DequantizeLinear, before the node that it replaces. Every operand has a DequantizeLinear of
 * its own, because the runtime fuses by pairs. alpha, beta and transB of Gemm are in the weight and in the bias.
 * @returns its float outputs
 */
export function emitQdq(
  node: Node,
  inputs: readonly StaticInput[],
  values: IntegerValues,
): readonly (Value | undefined)[] {
  const floats = inputs.map((input, index) => (isOperand(input) ? values.dequantize(input, node, `${index}`) : input));
  const { op, domain, name, outputs } = node;
  const last = floats.findLastIndex((value) => value !== undefined);
  const fields = {
    domain,
    name,
    inputs: floats.slice(0, last + 1),
    attributes: op === 'Gemm' ? {} : node.attributes,
    outputTypes: outputs.map(() => undefined),
  };
  return addNode(node.graph as Graph, op, fields, node).outputs;
}
