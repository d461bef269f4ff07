import type { Model } from '../ir/index.ts';
import type { ObservationRequest } from '../observe/index.ts';
import type { AlgorithmReport } from '../pipeline/index.ts';
import type { Plan } from '../plan/index.ts';
import {
  adaround,
  adaroundRequests,
  biasCorrection,
  biasCorrectionRequests,
  type WeightOverrides,
} from '../quantize/index.ts';
import { type CalibrationSubject, type Observed, observe } from './calibrate-plan.ts';
import type { SessionContext } from './session-context.ts';

export interface ImprovedWeights {
  readonly overrides?: WeightOverrides | undefined;
  readonly algorithms: readonly AlgorithmReport[];
}

/** What has to be observed for the algorithms that were asked for. */
export function weightRequests(model: Model, { options }: SessionContext): ObservationRequest[] {
  const { adaround: isRounded, biasCorrection: isCorrected } = options.algorithms ?? {};
  return [...(isRounded ? adaroundRequests(model) : []), ...(isCorrected ? biasCorrectionRequests(model) : [])];
}

/**
 * Chooses the rounding of weights (AdaRound) and corrects biases by what rounding does to the mean, for the layers that a
 * plan makes integer, each if it was asked for. Bias correction changes the biases of the model.
 * @param before what calibration observed, the requests of this step among it
 */
export async function improveWeights(
  plan: Plan,
  subject: CalibrationSubject,
  before: Observed | undefined,
  context: SessionContext,
): Promise<ImprovedWeights> {
  const requests = weightRequests(subject.model, context);
  if (requests.length === 0) return { algorithms: [] };
  const { statistics, rows } = before ?? (await observe(subject, requests, context));
  const observed = { tensors: statistics.tensors, rows };
  const { adaround: isRounded, biasCorrection: isCorrected } = context.options.algorithms ?? {};
  const rounded = isRounded ? adaround(subject.model, observed, { plan }) : undefined;
  const overrides = rounded?.overrides;
  const corrected = isCorrected ? biasCorrection(subject.model, observed, { plan, overrides }) : undefined;
  const algorithms = [rounded?.report, corrected].filter((report) => report !== undefined);
  return { overrides, algorithms };
}
