import { type Attribute, addNode, type Graph, intAttribute, type Node, type Value } from '../ir/index.ts';

const float32 = 1;

/** Adds a node before `position`, named after it, and returns its output. */
export function add(
  graph: Graph,
  position: Node,
  op: string,
  inputs: readonly (Value | undefined)[],
  suffix: string,
  attributes: Readonly<Record<string, Attribute>> | ReadonlyMap<string, Attribute> = {},
): Value {
  const name = position.name ? `${position.name}${suffix}` : undefined;
  // Optional inputs at the end are left out, not left empty.
  const last = inputs.findLastIndex((value) => value !== undefined);
  const made = addNode(graph, op, { inputs: inputs.slice(0, last + 1), attributes, name }, position);
  return made.outputs[0] as Value;
}

/** An activation in 8 bits. */
export interface QuantizedActivation {
  readonly quantized: Value;
  readonly scale: Value;
  readonly zeroPoint: Value;
}

/** One DynamicQuantizeLinear for all readers of a value in a graph. */
export function quantizedActivation(value: Value, graph: Graph, reader: Node): QuantizedActivation {
  const existing = value.consumers.find((node) => node.is('DynamicQuantizeLinear') && node.graph === graph);
  const node = existing ?? quantizeBefore(value, graph, reader);
  const [quantized, scale, zeroPoint] = node.outputs as [Value, Value, Value];
  return { quantized, scale, zeroPoint };
}

function quantizeBefore(value: Value, graph: Graph, reader: Node): Node {
  const name = value.name && `${value.name}_QuantizeLinear`;
  const outputTypes = [undefined, undefined, undefined];
  return addNode(graph, 'DynamicQuantizeLinear', { inputs: [value], name, outputTypes }, reader);
}

/** An integer sum as the float that it stands for: Cast, and one Mul by the product of both scales. */
export function scaled(graph: Graph, node: Node, sum: Value, scales: readonly [Value, Value]): Value {
  const cast = add(graph, node, 'Cast', [sum], '_cast', { to: intAttribute(float32) });
  const product = add(graph, node, 'Mul', scales, '_scales_mul');
  return add(graph, node, 'Mul', [cast, product], '_output_scale_mul');
}
