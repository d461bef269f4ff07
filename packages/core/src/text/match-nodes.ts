import type { Graph, Node, Value } from '../ir/index.ts';

export interface NodeMatch {
  readonly pairs: readonly (readonly [Node, Node])[];
  readonly removed: readonly Node[];
  readonly added: readonly Node[];
}

type Names = ReadonlyMap<Value, string>;
type Key = (node: Node, names: Names) => string | undefined;

const outputsOf = (node: Node, names: Names): string[] =>
  node.outputs.map((value) => (value && names.get(value)) ?? '');

/** From what makes two nodes the same beyond doubt to what makes it likely. */
const keys: readonly Key[] = [
  (node, names) => JSON.stringify([node.name, node.domain, node.op, outputsOf(node, names)]),
  (node) => (node.name ? JSON.stringify([node.name, node.domain, node.op]) : undefined),
  (node, names) => outputsOf(node, names).find((name) => name !== ''),
  (node) => node.name || undefined,
];

/** Pairs the nodes of two graphs by name, operator and names of outputs; a key that is there twice pairs nothing. */
export function matchNodes(before: Graph, after: Graph, beforeNames: Names, afterNames: Names): NodeMatch {
  const partner = new Map<Node, Node>();
  const removed = new Set(before.nodes());
  const added = new Set(after.nodes());
  for (const key of keys) {
    const candidates = uniqueByKey(added, key, afterNames);
    for (const [name, node] of uniqueByKey(removed, key, beforeNames)) {
      const other = candidates.get(name);
      if (!other) continue;
      partner.set(node, other);
      removed.delete(node);
      added.delete(other);
    }
  }
  const pairs = [...before.nodes()].flatMap((node): [Node, Node][] => {
    const other = partner.get(node);
    return other ? [[node, other]] : [];
  });
  return { pairs, removed: [...removed], added: [...added] };
}

function uniqueByKey(nodes: Iterable<Node>, key: Key, names: Names): Map<string, Node> {
  const unique = new Map<string, Node | undefined>();
  for (const node of nodes) {
    const name = key(node, names);
    if (name !== undefined) unique.set(name, unique.has(name) ? undefined : node);
  }
  return new Map([...unique].filter((entry): entry is [string, Node] => entry[1] !== undefined));
}
