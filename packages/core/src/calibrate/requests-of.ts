import { type CalibrationMethod, detailOf, type ObservationRequest } from '../observe/index.ts';
import type { Plan } from '../plan/index.ts';

/**
 * What has to be observed for a plan: every activation whose scale comes from its own statistics. Those with fixed
 * parameters, or with those of another activation, need none.
 */
export function requestsOf(plan: Plan, method: CalibrationMethod): ObservationRequest[] {
  const detail = detailOf(method);
  return (plan.activations ?? [])
    .filter(({ parameters }) => parameters.kind === 'own')
    .map(({ id }) => ({ tensor: id, detail }));
}
