import { requestsOf } from '../calibrate/index.ts';
import { OptimumError } from '../foundation/index.ts';
import type { Model } from '../ir/index.ts';
import {
  type CalibrationMethod,
  clippedShare,
  defaultMethod,
  type ObservationRequest,
  type QuantizationParameters,
  quantizationParameters,
  rangeOf,
  type SessionStatistics,
} from '../observe/index.ts';
import {
  type CalibratedTensor,
  type CalibrationReport,
  type Feeds,
  isRefusal,
  requiredInputs,
} from '../pipeline/index.ts';
import type { ActivationEntry, Plan } from '../plan/index.ts';
import { withoutUnobserved } from '../quantize/index.ts';
import { type CalibrateOptions, type CalibrationData, type CalibrationResult, calibrate } from './calibrate.ts';
import { hashModel } from './calibrate-hash.ts';
import type { SessionInput } from './calibration-options.ts';
import { toCanonicalForm } from './load-canonical.ts';
import { madeUpAttemptCount, madeUpData } from './made-up-data.ts';
import type { SessionContext } from './session-context.ts';

/** The model that is calibrated: a file, and the same read. */
export interface CalibrationSubject {
  readonly session: string;
  readonly path: string;
  readonly model: Model;
}

/** What calibration gives to realize and to the report. */
export interface CalibratedPlan {
  /** Without what was never observed. */
  readonly plan: Plan;
  readonly parameters: ReadonlyMap<string, QuantizationParameters>;
  readonly report: CalibrationReport;
  /** What was observed, unless it came from a file. */
  readonly observed: Observed | undefined;
}

const defaultSamples = 100;
const madeUpSamples = 16;

/**
 * Scales and zero points of a plan's activations, from data or from statistics.
 * @param more requests of others, which the same run serves
 * @throws what calibrate throws
 */
export async function calibratePlan(
  plan: Plan,
  subject: CalibrationSubject,
  context: SessionContext,
  more: readonly ObservationRequest[] = [],
): Promise<CalibratedPlan> {
  const start = performance.now();
  const method = context.options.calibration?.method ?? defaultMethod;
  const given = await statisticsOf(subject, context);
  const observed = given ? undefined : await observe(subject, [...requestsOf(plan, method), ...more], context);
  const statistics = given ?? (observed?.statistics as SessionStatistics);
  const tensors = ownActivations(plan).flatMap((entry) => calibratedTensor(entry, statistics, method));
  const { samples, data } = statistics;
  return {
    plan: withoutUnobserved(plan, new Set(tensors.map(({ id }) => id))),
    parameters: new Map(tensors.map(({ id, scale, zeroPoint }) => [id, { scale, zeroPoint }])),
    report: {
      method,
      samples,
      data,
      madeUp: observed?.madeUp ?? false,
      durationMs: given ? 0 : performance.now() - start,
      tensors,
    },
    observed,
  };
}

const ownActivations = ({ activations = [] }: Plan): ActivationEntry[] =>
  activations.filter(({ parameters }) => parameters.kind === 'own');

/** None for a tensor that never showed a value. */
function calibratedTensor(
  { id, scheme }: ActivationEntry,
  { tensors }: SessionStatistics,
  method: CalibrationMethod,
): CalibratedTensor[] {
  const observation = tensors[id];
  if (!observation || observation.elements === 0) return [];
  const range = rangeOf(observation, method, scheme);
  const { scale, zeroPoint } = quantizationParameters(range, scheme);
  const clipped = clippedShare(observation, range);
  return [{ id, elementType: scheme.elementType, range, scale, zeroPoint, clipped, observation }];
}

/**
 * The user's statistics of this model, whatever its file was called then; none where no statistics were given.
 * @throws E_STATISTICS_MISMATCH when they are of other models
 */
async function statisticsOf(
  { session, path, model }: CalibrationSubject,
  { options }: SessionContext,
): Promise<SessionStatistics | undefined> {
  const { statistics } = options.calibration ?? {};
  if (!statistics) return undefined;
  const hash = await hashModel(path, model, options.signal);
  const found = Object.values(statistics.sessions).find((one) => one.model === hash);
  if (found) return found;
  const got = Object.entries(statistics.sessions).map(([name, one]) => `${name} ${one.model.slice(0, 12)}…`);
  throw new OptimumError(
    'E_STATISTICS_MISMATCH',
    `The statistics are of another model than session "${session}": expected SHA-256 ${hash.slice(0, 12)}…, got ${got.join(', ') || 'none'}.`,
    {
      hint: 'Make them again: optimum calibrate. SmoothQuant and equalization change the model: they need --data, not --statistics.',
      context: { session, expected: hash, got },
    },
  );
}

export interface Observed extends CalibrationResult {
  readonly madeUp: boolean;
}

export interface ObserveSettings extends Pick<CalibrateOptions, 'resume' | 'onPartial' | 'partialEveryMs'> {
  /** Adds to the model what requests are about that it does not have. */
  readonly edit?: ((model: Model) => void) | undefined;
}

/** Runs the user's data, or what is made up for want of any, and observes what is asked for. */
export async function observe(
  subject: CalibrationSubject,
  requests: readonly ObservationRequest[],
  context: SessionContext,
  { edit, ...resuming }: ObserveSettings = {},
): Promise<Observed> {
  const { options, preparation } = context;
  const run = (data: CalibrationData): Promise<CalibrationResult> =>
    calibrate({
      ...resuming,
      name: subject.session,
      path: subject.path,
      prepare: (model) => {
        toCanonicalForm(model, context);
        edit?.(model);
      },
      runtime: preparation.backend.runtime,
      requests,
      data,
      samples: options.calibration?.samples ?? defaultSamples,
      threads: options.timingThreads,
      config: preparation.recipe.session,
      from: options.projectFolder,
      onEvent: options.onEvent,
      signal: options.signal,
    });
  const data = await options.calibration?.data?.(subject.session, inputsOf(subject.model));
  if (data) return { ...(await run(data)), madeUp: false };
  return { ...(await runMadeUp(subject.model, run)), madeUp: true };
}

export const inputsOf = (model: Model): SessionInput[] =>
  requiredInputs(model).flatMap(({ name, elementType, shape }) =>
    name && elementType ? [{ name, elementType, shape }] : [],
  );

/** Smaller inputs are tried when the model refuses the first. */
async function runMadeUp(
  model: Model,
  run: (data: CalibrationData) => Promise<CalibrationResult>,
): Promise<CalibrationResult> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await run(madeUpData(model, attempt, madeUpSamples));
    } catch (error) {
      if (!isRefusal(error) || attempt + 1 === madeUpAttemptCount) throw error;
    }
  }
}

/** The first samples of the user's data; none where there is no data. */
export async function sampleFeeds(
  { session, model }: CalibrationSubject,
  { options }: SessionContext,
  count: number,
): Promise<Feeds[]> {
  const data = await options.calibration?.data?.(session, inputsOf(model));
  const feeds: Feeds[] = [];
  if (!data) return feeds;
  for await (const sample of data.samples()) {
    if (feeds.push(sample.feeds) === count) break;
  }
  return feeds;
}
