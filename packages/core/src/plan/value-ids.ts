import { type Model, type Value, walkNodes } from '../ir/index.ts';
import { nodeIds } from './node-ids.ts';

/**
 * A stable id for every input and every output of a node: its name where that is unique in the model, else the id of
 * the node that makes it and which of its outputs it is (`MatMul#3:0`).
 */
export function valueIds(model: Model): Map<Value, string> {
  const nodes = nodeIds(model);
  const places = new Map<Value, string>();
  model.graph.inputs.forEach((value, index) => void places.set(value, `input#${index}`));
  for (const node of walkNodes(model)) {
    node.outputs.forEach((value, index) => value && places.set(value, `${nodes.get(node)}:${index}`));
  }
  const count = new Map<string, number>();
  for (const { name } of places.keys()) if (name) count.set(name, (count.get(name) ?? 0) + 1);
  return new Map(
    [...places].map(([value, place]) => [value, value.name && count.get(value.name) === 1 ? value.name : place]),
  );
}
