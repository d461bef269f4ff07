import { leftFloat, type Plan, settlePlan } from '../plan/index.ts';

/**
 * The plan for what calibration really saw: a node that needs the range of an activation that never showed a value stays
 * float, with reason `not-observed`. Pure.
 * @param observed ids of the activations whose parameters are known
 */
export function withoutUnobserved(plan: Plan, observed: ReadonlySet<string>): Plan {
  const { activations = [] } = plan;
  const unknown = new Set(
    activations.filter(({ id, parameters }) => parameters.kind === 'own' && !observed.has(id)).map(({ id }) => id),
  );
  for (const { id, parameters } of activations)
    if (parameters.kind === 'shared' && unknown.has(parameters.with)) unknown.add(id);
  if (unknown.size === 0) return plan;
  const entries = plan.entries.map((entry) => {
    const missing = [...(entry.reads ?? []), ...(entry.writes ?? [])].find((id) => unknown.has(id));
    const text = `its range is not known: "${missing}" never showed a value`;
    return missing === undefined ? entry : leftFloat(entry, 'not-observed', text);
  });
  return settlePlan({ ...plan, entries, activations: activations.filter(({ id }) => !unknown.has(id)) });
}
