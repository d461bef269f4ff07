import type { Graph, Node, Value } from '../ir/index.ts';

/** Operators that only carry constants; they go when nothing reads them. */
const carriers = new Set(['Constant', 'Identity', 'Transpose', 'Cast', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten']);

/**
 * Removes what quantization left without readers: float weights, zero points of tables, and the operators that carried
 * weights to their readers. Returns the names of graph inputs that went because they were such weights.
 */
export function removeUnread(graph: Graph): string[] {
  for (const node of [...graph.nodes()].reverse()) if (isUnreadCarrier(node)) graph.remove(node);
  const removed: string[] = [];
  for (const value of [...graph.initializers]) {
    if (value.uses.size > 0) continue;
    if (value.origin.kind === 'input') removed.push(value.name ?? '');
    graph.removeInitializer(value);
  }
  return removed;
}

const isUnreadCarrier = (node: Node): boolean =>
  carriers.has(node.op) && node.outputs.every((value: Value | undefined) => !value || value.uses.size === 0);
