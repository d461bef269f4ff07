import type { Graph } from './graph.ts';
import { Node, type NodeFields } from './node.ts';
import type { ValueType } from './type.ts';
import { Value } from './value.ts';

/** Makes a node with fresh outputs and puts it before `position` (or last). Returns the node. */
export function addNode(
  graph: Graph,
  op: string,
  fields: Omit<NodeFields, 'outputs'> & {
    outputs?: readonly (Value | undefined)[];
    outputTypes?: readonly (ValueType | undefined)[];
  },
  position?: Node,
): Node {
  const outputs = fields.outputs ?? (fields.outputTypes ?? [undefined]).map((type) => new Value(undefined, type));
  const node = new Node(op, { ...fields, outputs });
  return position ? graph.insertBefore(node, position) : graph.append(node);
}
