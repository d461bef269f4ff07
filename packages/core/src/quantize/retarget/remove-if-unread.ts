import type { Node } from '../../ir/index.ts';

/** Removes a node whose results nothing reads any more: a runtime would compute them all the same. */
export function removeIfUnread(node: Node): void {
  if (node.outputs.every((value) => !value || value.uses.size === 0)) node.graph?.remove(node);
}
