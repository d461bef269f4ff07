import type { Value } from '../ir/index.ts';

/** Operators that only carry constants to their readers. */
const carriers = new Set(['Constant', 'Identity', 'Transpose', 'Cast', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten']);

/**
 * Removes the constants among the values that nothing reads any more, and what carried them. Inputs of the graph stay:
 * their names are the user's contract.
 */
export function dropUnread(values: readonly (Value | undefined)[]): void {
  for (const value of values) {
    if (!value || value.uses.size > 0) continue;
    if (value.origin.kind === 'initializer') value.origin.graph.removeInitializer(value);
    else dropCarrier(value);
  }
}

function dropCarrier({ producer }: Value): void {
  if (!producer?.graph || producer.domain !== '' || !carriers.has(producer.op)) return;
  if (producer.outputs.some((output) => output && output.uses.size > 0)) return;
  const inputs = [...producer.inputs];
  producer.graph.remove(producer);
  dropUnread(inputs);
}
