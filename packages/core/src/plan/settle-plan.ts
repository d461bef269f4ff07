import type { ActivationEntry, Plan, PlanEntry, Reason } from './plan.ts';

/** The entry of a node that stays float after all. */
export const leftFloat = (entry: PlanEntry, code: Reason['code'], text: string): PlanEntry => {
  const { reads, writes, ...rest } = entry;
  return { ...rest, decision: { action: 'float', reason: { code, text } } };
};

/**
 * The plan without what its decisions no longer call for: operators that only move numbers and no longer stand between
 * integers become float, activations that nobody reads or writes as integers go. For plans whose decisions were edited.
 * Pure. O(entries × chain of movers).
 */
export function settlePlan(plan: Plan): Plan {
  if (!plan.activations) return plan;
  const sources = new Map(plan.activations.map(({ id, parameters }) => [id, parameters]));
  const isShared = (id: string): boolean => sources.get(id)?.kind === 'shared';
  let entries = plan.entries.map((entry) => (entry.decision.action === 'static' ? entry : withoutTensors(entry)));
  for (let isSettled = false; !isSettled; ) {
    const read = new Set(entries.flatMap(({ reads = [] }) => reads));
    const written = new Set(entries.flatMap(({ writes = [] }) => writes));
    const isIdle = ({ decision, reads = [], writes = [] }: PlanEntry): boolean =>
      decision.action === 'static' &&
      writes.length > 0 &&
      writes.every(isShared) &&
      !(reads.every((id) => written.has(id)) && writes.some((id) => read.has(id)));
    isSettled = !entries.some(isIdle);
    entries = entries.map((entry) => (isIdle(entry) ? leftFloat(entry, 'no-faster', betweenFloats) : entry));
  }
  return { ...plan, entries, activations: inUse(plan.activations, entries) };
}

const betweenFloats = 'it only moves numbers, and they are not integers on both sides';

function withoutTensors(entry: PlanEntry): PlanEntry {
  const { reads, writes, ...rest } = entry;
  return reads || writes ? rest : entry;
}

/** Those that nodes name, and those whose parameters these share. */
function inUse(activations: readonly ActivationEntry[], entries: readonly PlanEntry[]): ActivationEntry[] {
  const named = new Set(entries.flatMap(({ reads = [], writes = [] }) => [...reads, ...writes]));
  for (const { id, parameters } of activations)
    if (named.has(id) && parameters.kind === 'shared') named.add(parameters.with);
  return activations.filter(({ id }) => named.has(id));
}
