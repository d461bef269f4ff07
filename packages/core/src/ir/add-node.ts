import { internalError } from '../foundation/index.ts';
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

/**
 * Puts `result` in the place of a node's first output, under its name and type, and removes the node: whoever reads the
 * new graph finds the way by the old names.
 */
export function replaceNode(node: Node, result: Value): void {
  const output = node.outputs[0];
  if (!output || !node.graph) throw internalError(`${node.op} "${node.name ?? ''}" has no output to replace.`);
  result.type = output.type;
  output.replaceAllUsesWith(result);
  if (output.name !== undefined && !result.name) [result.name, output.name] = [output.name, undefined];
  node.graph.remove(node);
}
