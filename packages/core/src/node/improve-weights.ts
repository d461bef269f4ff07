import type { Model } from '../ir/index.ts';
import type { ObservationRequest } from '../observe/index.ts';
import type { AlgorithmReport } from '../pipeline/index.ts';
import type { Plan } from '../plan/index.ts';
import {
  adaround,
  adaroundRequests,
  addConvolutionErrors,
  biasCorrection,
  biasCorrectionRequests,
  convolutionErrorRequests,
  type WeightOverrides,
} from '../quantize/index.ts';
import { type CalibrationSubject, type Observed, observe } from './calibrate-plan.ts';
import type { SessionContext } from './session-context.ts';

export interface ImprovedWeights {
  readonly overrides?: WeightOverrides | undefined;
  readonly algorithms: readonly AlgorithmReport[];
  readonly notes: readonly string[];
}

/** What has to be observed for the algorithms that were asked for, as far as the model itself shows it. */
export function weightRequests(model: Model, { options }: SessionContext): ObservationRequest[] {
  const { adaround: isRounded, biasCorrection: isCorrected } = options.algorithms ?? {};
  return [...(isRounded ? adaroundRequests(model) : []), ...(isCorrected ? biasCorrectionRequests(model) : [])];
}

/**
 * Chooses the rounding of weights (AdaRound) and corrects biases by what rounding does to the mean, for the layers that a
 * plan makes integer, each if it was asked for. Bias correction changes the biases of the model; for convolutions it runs
 * the data once more, with what their integer weights are off by.
 * @param before what calibration observed, the requests of this step among it
 */
export async function improveWeights(
  plan: Plan,
  subject: CalibrationSubject,
  before: Observed | undefined,
  context: SessionContext,
): Promise<ImprovedWeights> {
  const { adaround: isRounded, biasCorrection: isCorrected } = context.options.algorithms ?? {};
  if (!isRounded && !isCorrected) return { algorithms: [], notes: [] };
  const { model } = subject;
  const seen = before ?? (await observeAny(subject, weightRequests(model, context), context));
  const observed = { tensors: {}, rows: seen?.rows ?? {} };
  const rounded = isRounded ? adaround(model, observed, { plan }) : undefined;
  const overrides = rounded?.overrides;
  const errors = isCorrected ? await observeErrors(plan, subject, context) : undefined;
  const rows = { ...observed.rows, ...errors?.rows };
  const corrected = isCorrected ? biasCorrection(model, { ...observed, rows }, { plan, overrides }) : undefined;
  const algorithms = [rounded?.report, corrected].filter((report) => report !== undefined);
  const isGuess = seen?.madeUp || errors?.madeUp;
  return { overrides, algorithms, notes: isGuess ? ['weights were improved on made-up inputs: give --data'] : [] };
}

/** The output errors of convolutions with the integer weights that the plan gives them. */
const observeErrors = (
  plan: Plan,
  subject: CalibrationSubject,
  context: SessionContext,
): Promise<Observed | undefined> =>
  observeAny(subject, convolutionErrorRequests(subject.model, { plan }), context, (model) =>
    addConvolutionErrors(model, { plan }),
  );

async function observeAny(
  subject: CalibrationSubject,
  requests: readonly ObservationRequest[],
  context: SessionContext,
  edit?: (model: Model) => void,
): Promise<Observed | undefined> {
  return requests.length > 0 ? observe(subject, requests, context, { edit }) : undefined;
}
