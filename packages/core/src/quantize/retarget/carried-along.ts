import { internalError } from '../../foundation/index.ts';
import { addNode, type Node, type Value } from '../../ir/index.ts';

/** The operators that carry a weight to its reader, once more, for another weight. Returns what the reader is to read. */
export function carriedAlong(weight: Value, path: readonly Node[], reader: Node): Value {
  const { graph } = reader;
  if (!graph) throw internalError(`${reader.op} "${reader.name ?? ''}" is in no graph.`);
  return path.reduce((value, { op, attributes, inputs }) => {
    const carrier = addNode(graph, op, { inputs: [value, ...inputs.slice(1)], attributes }, reader);
    return carrier.outputs[0] as Value;
  }, weight);
}
