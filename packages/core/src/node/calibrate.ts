import type { ModelSource, RowSample, Runtime, Session, Tap } from '../backend/index.ts';
import { mergeRequests, type TappedModel, tapModel, type Unobservable } from '../calibrate/index.ts';
import { throwIfAborted } from '../foundation/index.ts';
import type { Model } from '../ir/index.ts';
import type { ObservationRequest, SessionStatistics, TensorObservation } from '../observe/index.ts';
import type { ProgressListener } from '../pipeline/index.ts';
import { collect } from './calibrate-collect.ts';
import { hashModel, hashRequests } from './calibrate-hash.ts';
import type { CalibrationSample } from './calibrate-samples.ts';
import { slimSource } from './calibrate-slim.ts';
import { loadModel } from './load-model.ts';

/** Where samples come from. */
export interface CalibrationData {
  /** SHA-256 of the data set, hexadecimal. */
  readonly hash: string;
  /** For people: file name, or that inputs were made up. */
  readonly source: string;
  /** Samples that there are, where that is known. */
  readonly count?: number | undefined;
  /** In ascending order of their numbers; the same samples every time. */
  samples(): AsyncIterable<CalibrationSample>;
}

export interface CalibrateOptions {
  /** Name of the session, for progress and messages. */
  readonly name: string;
  /** The `.onnx` file. */
  readonly path: string;
  /** Brings the model, read from `path`, into the form that the requests are about. */
  readonly prepare?: ((model: Model) => void) | undefined;
  readonly runtime: Runtime;
  readonly requests: readonly ObservationRequest[];
  readonly data: CalibrationData;
  /** Samples at most. @defaultValue 1000 */
  readonly samples?: number | undefined;
  /** Threads inside one operator. @defaultValue 1 */
  readonly threads?: number | undefined;
  /** Session entries of the recipe. */
  readonly config?: Readonly<Record<string, string>> | undefined;
  /** Folder whose packages provide the runtime. @defaultValue the working directory */
  readonly from?: string | undefined;
  /** Longest time for loading and for each sample in the runtime. @defaultValue 120 000 */
  readonly timeLimitMs?: number | undefined;
  readonly memoryLimitBytes?: number | undefined;
  /** Longest wait for the data to give a sample. @defaultValue 60 000 */
  readonly waitLimitMs?: number | undefined;
  /** What an earlier run found: its samples are left out, if it is of the same model, data and requests. */
  readonly resume?: SessionStatistics | undefined;
  /** Gets what was found so far, now and then; nothing goes on until it has settled. Not with requests for rows. */
  readonly onPartial?: ((statistics: SessionStatistics) => void | Promise<void>) | undefined;
  /** How often. @defaultValue 5000, and up to 60 000 as a run goes on */
  readonly partialEveryMs?: number | undefined;
  readonly onEvent?: ProgressListener | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface CalibrationResult {
  readonly statistics: SessionStatistics;
  /** By `requestKey`, of the requests for rows. */
  readonly rows: Readonly<Record<string, RowSample>>;
  /** Requests that could not be served, and tensors that never showed a value that counts. */
  readonly unobservable: readonly Unobservable[];
  /** Samples of `resume` that were not run again. */
  readonly resumedSamples: number;
  /** Until the first sample could run: reading, tapping, loading. */
  readonly setUpMs: number;
  /** From the first sample to the statistics. */
  readonly collectMs: number;
}

/**
 * Runs the samples of a data set through a model and observes what is asked for, beside the runtime and in memory that
 * does not grow with their number. The same samples give the same statistics in whatever order and pieces.
 * @throws E_DATA_INVALID for data that fails or gives nothing, E_DATA_MISMATCH with the number of a sample that the
 * runtime refuses, E_USAGE for requests that do not go together, and what sessions throw
 */
export async function calibrate(options: CalibrateOptions): Promise<CalibrationResult> {
  const start = performance.now();
  const requests = mergeRequests(options.requests);
  const loaded = await loadModel(options.path);
  try {
    // In the background: the runtime works in a process of its own.
    const hashing = hashModel(options.path, loaded.model, options.signal);
    hashing.catch(() => undefined);
    const before = await resumable(options, requests, hashing);
    options.prepare?.(loaded.model);
    const { taps, unobservable } = tapModel(loaded.model, requests);
    const session = await openSession(options, slimSource(loaded.model, options.path));
    try {
      const observed = observedTaps(session, taps);
      const setUpMs = performance.now() - start;
      const collection = { options, session, taps: observed.taps, requests, before, hashing };
      const { statistics, rows, knownSamples } = await collect(collection);
      // The earlier run saw samples that are not among those of this one: they do not count.
      if (before && knownSamples < before.samples) return await calibrate({ ...options, resume: undefined });
      const refused = [...unobservable, ...observed.unobservable, ...emptyTensors(observed.taps, statistics)];
      const collectMs = performance.now() - start - setUpMs;
      return { statistics, rows, unobservable: refused, resumedSamples: knownSamples, setUpMs, collectMs };
    } finally {
      await session.close();
    }
  } finally {
    loaded.close();
  }
}

/** What an earlier run found, if it is of the same model, data and requests. */
async function resumable(
  { resume, name, data, onEvent }: CalibrateOptions,
  requests: readonly ObservationRequest[],
  hashing: Promise<string>,
): Promise<SessionStatistics | undefined> {
  if (!resume) return undefined;
  const other =
    resume.model !== (await hashing)
      ? 'another model'
      : resume.data.some(({ hash }) => hash !== data.hash)
        ? 'other data'
        : resume.requests !== hashRequests(requests)
          ? 'other observations'
          : requests.some(({ rows }) => rows)
            ? 'a run without rows'
            : undefined;
  if (!other) return resume;
  onEvent?.({ type: 'note', message: `${name}: an earlier run is left aside, it is of ${other}` });
  return undefined;
}

function openSession(options: CalibrateOptions, source: ModelSource): Promise<Session> {
  const { runtime, threads, config, from, timeLimitMs, memoryLimitBytes, signal } = options;
  throwIfAborted(signal);
  return runtime.createSession(source, {
    ...(threads && { threads }),
    ...(config && { config }),
    ...(from && { from }),
    ...(timeLimitMs && { timeLimitMs }),
    ...(memoryLimitBytes && { memoryLimitBytes }),
    ...(signal && { signal }),
  });
}

const floats: readonly unknown[] = ['float32', 'float16', 'float64'];

/** The taps that can be observed. Only the runtime knows every type: the model does not declare them all. */
function observedTaps({ outputs }: Session, taps: readonly Tap[]): TappedModel {
  const types = new Map(outputs.map(({ name, elementType }) => [name, elementType]));
  const isFloat = ({ output }: Tap): boolean => floats.includes(types.get(output));
  return {
    taps: taps.filter(isFloat),
    unobservable: taps
      .filter((tap) => !isFloat(tap))
      .map(({ tensor, output }) => ({
        tensor,
        reason: `it is ${types.get(output) ?? 'no tensor'}, and only floats are observed`,
      })),
  };
}

function emptyTensors(taps: readonly Tap[], { tensors }: SessionStatistics): Unobservable[] {
  return taps.flatMap(({ tensor }) => {
    const observation = tensors[tensor];
    return observation && observation.elements > 0 ? [] : [{ tensor, reason: whyEmpty(observation) }];
  });
}

function whyEmpty(observation: TensorObservation | undefined): string {
  const { nan = 0, infinite = 0, sentinel = 0 } = observation?.excluded ?? {};
  if (nan + infinite + sentinel === 0) return 'it never had a value';
  return `none of its values counts: ${nan} are NaN, ${infinite} infinite, ${sentinel} mask sentinels`;
}
