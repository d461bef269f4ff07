import { type Graph, type Model, type Node, walkGraphs } from '../../ir/index.ts';
import { nodeIds } from '../../plan/index.ts';
import { removeUnread } from '../remove-unread.ts';
import { chooseAccuracyLevel } from './accuracy-level.ts';
import { adviseOnConvInteger } from './conv-integer-advice.ts';
import { makePairAware } from './pair-aware-weights.ts';
import type { LeftAlone, RetargetAction, Rewrite } from './rewrite.ts';
import { signWeights } from './signed-weights.ts';
import type { RetargetTarget } from './target-kernels.ts';
import { makeActivationsUnsigned } from './unsigned-activations.ts';

export interface RetargetResult {
  readonly actions: readonly RetargetAction[];
  readonly left: readonly LeftAlone[];
  /** True where sums of some operator may still saturate on the target. */
  readonly maySaturate: boolean;
  /** Graph inputs that were weights too (ONNX IR < 4) and went with them. */
  readonly removedInputs: readonly string[];
}

/** In this order: weights follow the activations that they are multiplied by. */
const rewrites: readonly Rewrite[] = [
  makeActivationsUnsigned,
  signWeights,
  makePairAware,
  chooseAccuracyLevel,
  adviseOnConvInteger,
];

/**
 * Makes a quantized model fit a target without its float weights. Changes `model`; new weights are computed while it is
 * written. Reads weights only where pairs of them may saturate on the target.
 */
export function retargetModel(model: Model, target: RetargetTarget): RetargetResult {
  const ids = nodeIds(model);
  const actions: { readonly node: Node; readonly action: Omit<RetargetAction, 'nodes' | 'op'> }[] = [];
  const left = new Map<Node, Omit<LeftAlone, 'nodes' | 'op'>>();
  for (const rewrite of rewrites)
    rewrite({
      model,
      target,
      act: (node, action) => void actions.push({ node, action }),
      leave: (node, reason, more) => void left.set(node, { reason, ...more }),
    });
  for (const { node } of actions) left.delete(node);
  const removedInputs = actions.length > 0 ? [...walkGraphs(model)].flatMap((graph: Graph) => removeUnread(graph)) : [];
  const maySaturate = [...left.values()].some((entry) => entry.maySaturate === true);
  return { actions: merged(actions, ids), left: mergedLeft(left, ids), maySaturate, removedInputs };
}

/** One entry for all nodes of which the same is to be said; facts of pairs are added up. */
function merged(
  actions: readonly { readonly node: Node; readonly action: Omit<RetargetAction, 'nodes' | 'op'> }[],
  ids: ReadonlyMap<Node, string>,
): RetargetAction[] {
  const groups = new Map<string, RetargetAction>();
  for (const { node, action } of actions) {
    const key = `${action.rewrite}\n${node.op}\n${action.text}\n${action.predictedGain}`;
    const before = groups.get(key);
    const nodes = [...(before?.nodes ?? []), ids.get(node) ?? node.op];
    groups.set(key, { ...action, op: node.op, nodes, pairs: addPairs(before?.pairs, action.pairs) });
  }
  return [...groups.values()];
}

function addPairs(a: RetargetAction['pairs'], b: RetargetAction['pairs']): RetargetAction['pairs'] {
  if (!a || !b) return a ?? b;
  const risky = a.risky + b.risky;
  const scaleFactor = risky > 0 ? (a.scaleFactor * a.risky + b.scaleFactor * b.risky) / risky : 1;
  return { columns: a.columns + b.columns, risky, scaleFactor };
}

function mergedLeft(
  left: ReadonlyMap<Node, Omit<LeftAlone, 'nodes' | 'op'>>,
  ids: ReadonlyMap<Node, string>,
): LeftAlone[] {
  const groups = new Map<string, { op: string; nodes: string[] } & Omit<LeftAlone, 'nodes' | 'op'>>();
  for (const [node, entry] of left) {
    const key = `${node.op}\n${entry.reason}`;
    const group = groups.get(key) ?? { op: node.op, nodes: [], ...entry };
    groups.set(key, group);
    group.nodes.push(ids.get(node) ?? node.op);
  }
  return [...groups.values()].sort((a, b) => b.nodes.length - a.nodes.length);
}
