import type { AlgorithmReport } from '../pipeline/index.ts';
import type { Plan } from '../plan/index.ts';
import {
  adaround,
  adaroundRequests,
  biasCorrection,
  biasCorrectionRequests,
  type Observed,
  type WeightOverrides,
} from '../quantize/index.ts';
import { type CalibrationSubject, observe } from './calibrate-plan.ts';
import type { SessionContext } from './session-context.ts';

export interface ImprovedWeights {
  readonly overrides?: WeightOverrides | undefined;
  readonly algorithms: readonly AlgorithmReport[];
}

/**
 * Chooses the rounding of weights (AdaRound) and corrects biases by what rounding does to the mean, for the layers that a
 * plan makes integer, each if it was asked for. Bias correction changes the biases of the model.
 */
export async function improveWeights(
  plan: Plan,
  subject: CalibrationSubject,
  context: SessionContext,
): Promise<ImprovedWeights> {
  const { adaround: isRounded, biasCorrection: isCorrected } = context.options.algorithms ?? {};
  const requests = [
    ...(isRounded ? adaroundRequests(subject.model) : []),
    ...(isCorrected ? biasCorrectionRequests(subject.model) : []),
  ];
  if (requests.length === 0) return { algorithms: [] };
  const { statistics, rows } = await observe(subject, requests, context);
  const observed: Observed = { tensors: statistics.tensors, rows };
  const rounded = isRounded ? adaround(subject.model, observed, { plan }) : undefined;
  const overrides = rounded?.overrides;
  const corrected = isCorrected ? biasCorrection(subject.model, observed, { plan, overrides }) : undefined;
  const algorithms = [rounded?.report, corrected].filter((report) => report !== undefined);
  return { overrides, algorithms };
}
