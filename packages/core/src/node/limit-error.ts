import { throwIfAborted } from '../foundation/index.ts';
import type { QuantizationParameters } from '../observe/index.ts';
import { leftFloat, type Plan, type PlanEntry, settlePlan } from '../plan/index.ts';
import { type CalibrationSubject, sampleFeeds } from './calibrate-plan.ts';
import { autoBounds, type ErrorTrials, openErrorTrials } from './error-trials.ts';
import type { SessionContext } from './session-context.ts';

export interface LimitedPlan {
  readonly plan: Plan;
  readonly notes: readonly string[];
}

/** Trials that rank nodes; in models with more static nodes, neighbours are ranked together. */
const rankingTrials = 48;
/** Samples on which trials are compared. */
const trialSamples = 8;

/**
 * Takes static nodes back to float, those that move the outputs most first, until the outputs on calibration data stay
 * near the original's. Only for recipes that choose by themselves: who asks for static, or writes a plan, gets that.
 */
export async function limitError(
  plan: Plan,
  parameters: ReadonlyMap<string, QuantizationParameters>,
  subject: CalibrationSubject,
  context: SessionContext,
): Promise<LimitedPlan> {
  const nodes = plan.entries.filter(({ decision }) => decision.action === 'static');
  const { options, preparation } = context;
  const isFree = preparation.recipe.mode === 'auto' && !options.plan;
  if (!isFree || nodes.length === 0) return { plan, notes: [] };
  const feeds = await sampleFeeds(subject, context, trialSamples);
  if (feeds.length === 0) return { plan, notes: ['no data: how far static nodes move the outputs was not limited'] };
  const trials = await openErrorTrials({ path: subject.path, parameters, feeds }, context);
  const kept = await mostWithin(groupsOf(nodes, rankingTrials), plan, trials, options.signal);
  return withoutNodes(plan, nodes, new Set(kept.flat().map(({ id }) => id)));
}

type Group = readonly PlanEntry[];

/** All groups when they are within the bound together, else the longest run of the least harmful ones that is. */
export async function mostWithin(
  groups: readonly Group[],
  plan: Plan,
  trials: ErrorTrials,
  signal?: AbortSignal,
): Promise<readonly Group[]> {
  if (await trials.isWithin(onlyStatic(plan, groups))) return groups;
  const errors = new Map<Group, number>();
  for (const group of groups) {
    throwIfAborted(signal);
    errors.set(group, await trials.errorOf(onlyStatic(plan, [group])));
  }
  const ranked = [...groups].sort((a, b) => (errors.get(a) as number) - (errors.get(b) as number));
  let [within, beyond] = [0, ranked.length];
  while (beyond - within > 1) {
    throwIfAborted(signal);
    const middle = (within + beyond) >> 1;
    if (await trials.isWithin(onlyStatic(plan, ranked.slice(0, middle)))) within = middle;
    else beyond = middle;
  }
  return ranked.slice(0, within);
}

function groupsOf(nodes: readonly PlanEntry[], most: number): Group[] {
  const size = Math.ceil(nodes.length / most);
  return Array.from({ length: Math.ceil(nodes.length / size) }, (_, index) =>
    nodes.slice(index * size, (index + 1) * size),
  );
}

/** The plan with these static nodes alone: dynamic ones would only blur what is compared. */
function onlyStatic(plan: Plan, groups: readonly Group[]): Plan {
  const ids = new Set(groups.flat().map(({ id }) => id));
  return settlePlan({ ...plan, entries: plan.entries.filter(({ id }) => ids.has(id)) });
}

function withoutNodes(plan: Plan, nodes: readonly PlanEntry[], kept: ReadonlySet<string>): LimitedPlan {
  const dropped = new Set(nodes.filter(({ id }) => !kept.has(id)).map(({ id }) => id));
  if (dropped.size === 0) return { plan, notes: [] };
  const text = `as integers, these would move the outputs by more than ${100 * autoBounds.relativeError} % on the calibration data`;
  const entries = plan.entries.map((entry) => (dropped.has(entry.id) ? leftFloat(entry, 'accuracy', text) : entry));
  return { plan: settlePlan({ ...plan, entries }), notes: [] };
}
