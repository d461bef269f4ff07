import { quote } from '../foundation/index.ts';
import { type ModelFunction, type Node, walkNodes } from '../ir/index.ts';
import type { ReadContext } from './read-context.ts';

const keyOf = (domain: string, name: string, overload = ''): string =>
  `${domain === 'ai.onnx' ? '' : domain}\0${name}\0${overload}`;
const keyOfNode = (node: Node): string => keyOf(node.domain, node.op, node.overload);

/** @throws E_MODEL_INVALID for a function that is there twice, or that calls itself over any number of others */
export function checkFunctions(context: ReadContext, functions: readonly ModelFunction[]): void {
  const byKey = new Map<string, ModelFunction>();
  for (const body of functions) {
    const key = keyOf(body.domain, body.name, body.overload);
    if (byKey.has(key)) throw context.invalid(`function ${shown(body)} is there twice`);
    byKey.set(key, body);
  }
  const calls = new Map<ModelFunction, ModelFunction[]>();
  for (const body of functions) {
    const called = new Set([...walkNodes(body.body)].map((node) => byKey.get(keyOfNode(node))));
    called.delete(undefined);
    calls.set(body, [...called] as ModelFunction[]);
  }
  const cycle = findCycle(calls);
  if (cycle) throw context.invalid(`function ${cycle.map(shown).join(' calls ')}: no runtime can run a recursion`);
}

const shown = ({ domain, name }: ModelFunction): string => quote(domain ? `${domain}.${name}` : name);

/** Takes away what calls nothing that is left; what remains at the end calls itself. Iterative: chains can be long. */
function findCycle(calls: ReadonlyMap<ModelFunction, readonly ModelFunction[]>): ModelFunction[] | undefined {
  const callers = new Map<ModelFunction, ModelFunction[]>();
  for (const [caller, called] of calls) {
    for (const one of called) {
      const known = callers.get(one);
      if (known) known.push(caller);
      else callers.set(one, [caller]);
    }
  }
  const open = new Map([...calls].map(([caller, called]) => [caller, called.length]));
  const leaves = [...open].filter(([, count]) => count === 0).map(([body]) => body);
  for (const leaf of leaves) {
    open.delete(leaf);
    for (const caller of callers.get(leaf) ?? []) {
      const left = (open.get(caller) ?? 0) - 1;
      open.set(caller, left);
      if (left === 0) leaves.push(caller);
    }
  }
  const [start] = open.keys();
  if (!start) return undefined;
  const path = new Set([start]);
  for (let last = start; ; ) {
    const next = calls.get(last)?.find((body) => open.has(body)) as ModelFunction;
    if (path.has(next)) return [...[...path].slice([...path].indexOf(next)), next];
    path.add(next);
    last = next;
  }
}
