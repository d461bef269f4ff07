import { constantOf } from '../analysis/index.ts';
import type { Node, Value } from '../ir/index.ts';

/** Operators through which an index keeps its meaning. */
const transparent = new Set([
  'Cast',
  'Identity',
  'Reshape',
  'Squeeze',
  'Unsqueeze',
  'Flatten',
  'Transpose',
  'Expand',
  'Slice',
]);

/**
 * For an integer input: how many rows the tables have that it indexes (the least of them), or `undefined` when it
 * indexes none. Feeding larger ids would make the runtime fail, so made-up inputs stay below.
 */
export function indexBound(input: Value): number | undefined {
  let bound: number | undefined;
  const seen = new Set<Value>([input]);
  const pending = [input];
  for (let value = pending.pop(); value; value = pending.pop()) {
    for (const use of value.uses) {
      if (use.kind !== 'input') continue;
      const rows = tableRows(use.node, use.index);
      if (rows !== undefined) bound = Math.min(bound ?? rows, rows);
      if (use.index !== 0 || !transparent.has(use.node.op)) continue;
      for (const output of use.node.outputs) {
        if (!output || seen.has(output)) continue;
        seen.add(output);
        pending.push(output);
      }
    }
  }
  return bound;
}

/** Rows of the constant table that `node` looks up with its input `index`. */
function tableRows(node: Node, index: number): number | undefined {
  const isLookup =
    (node.op === 'Gather' || node.op === 'GatherBlockQuantized') && index === 1 && node.int('axis', 0) === 0;
  const data = isLookup ? node.inputs[0] : undefined;
  return data ? constantOf(data)?.dims[0] : undefined;
}
