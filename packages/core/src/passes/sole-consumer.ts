import type { Node, Value } from '../ir/index.ts';

/** The only reader of a value, in the graph in which the value is made; `undefined` when others see it too. */
export function soleConsumer(value: Value): Node | undefined {
  const [use, ...others] = value.uses;
  if (use?.kind !== 'input' || others.length > 0) return undefined;
  return use.node.graph === value.producer?.graph ? use.node : undefined;
}
