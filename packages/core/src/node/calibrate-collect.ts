import type { RowSample, Session, Tap } from '../backend/index.ts';
import { countSamples, hasSample, type SampleRanges, withSample } from '../calibrate/index.ts';
import { OptimumError } from '../foundation/index.ts';
import { mergeSessionStatistics, type ObservationRequest, type SessionStatistics } from '../observe/index.ts';
import type { CalibrateOptions } from './calibrate.ts';
import { hashRequests } from './calibrate-hash.ts';
import { type CalibrationSample, readSamples } from './calibrate-samples.ts';

const defaultSamples = 1000;
const defaultWaitLimitMs = 60_000;
/** A killed run loses at most half of its time, and at most a minute. */
const partialAfterMs = { least: 5000, most: 60_000 };

/** A session with taps, and what is to be run through it. */
export interface Collection {
  readonly options: CalibrateOptions;
  readonly session: Session;
  readonly taps: readonly Tap[];
  readonly requests: readonly ObservationRequest[];
  /** What an earlier run found. */
  readonly before: SessionStatistics | undefined;
  /** SHA-256 of the model, which may still be on its way. */
  readonly hashing: Promise<string>;
}

export interface Collected {
  readonly statistics: SessionStatistics;
  readonly rows: Readonly<Record<string, RowSample>>;
  /** Samples of the earlier run that the data gave again, and that were left out. */
  readonly knownSamples: number;
}

/** Runs all samples. @throws E_DATA_INVALID when there are none, E_DATA_MISMATCH, and what sessions throw */
export async function collect(collection: Collection): Promise<Collected> {
  const { options, session, taps, before } = collection;
  const known = before?.data.flatMap(({ ranges }) => ranges) ?? [];
  let knownSamples = 0;
  const isKnown = (index: number): boolean => {
    const isIn = hasSample(known, index);
    if (isIn) knownSamples++;
    return isIn;
  };
  const progress = new Progress(collection);
  const saves = new SaveTimes(options.partialEveryMs);
  let done: SampleRanges = [];
  for await (const sample of samplesOf(options, isKnown)) {
    await session.observe(sample.feeds, taps, sample.index).catch(nameSample(options, sample));
    done = withSample(done, sample.index);
    progress.show(countSamples(done));
    if (!options.onPartial || !saves.isDue()) continue;
    await options.onPartial(await statisticsOf(collection, done));
    saves.saved();
  }
  if (done.length === 0 && knownSamples === 0) throw nothing(options);
  return { statistics: await statisticsOf(collection, done), rows: await session.sampledRows(), knownSamples };
}

const samplesOf = (
  { data, samples, waitLimitMs, signal }: CalibrateOptions,
  isKnown: (index: number) => boolean,
): AsyncIterable<CalibrationSample> =>
  readSamples(data.samples(), {
    samples: samples ?? defaultSamples,
    waitLimitMs: waitLimitMs ?? defaultWaitLimitMs,
    isKnown,
    signal,
  });

/** What was found so far, that of an earlier run included. */
async function statisticsOf(collection: Collection, done: SampleRanges): Promise<SessionStatistics> {
  const { options, session, requests, before, hashing } = collection;
  if (before && done.length === 0) return before;
  const { hash, source } = options.data;
  const found: SessionStatistics = {
    model: await hashing,
    requests: hashRequests(requests),
    data: [{ hash, source, ranges: done }],
    samples: countSamples(done),
    tensors: sorted(await session.observations()),
  };
  return before ? mergeSessionStatistics([before, found], options.name) : found;
}

/** Equal statistics are equal files. */
const sorted = (tensors: SessionStatistics['tensors']): SessionStatistics['tensors'] =>
  Object.fromEntries(Object.entries(tensors).sort(([a], [b]) => (a < b ? -1 : 1)));

/** When what was found so far is saved. Each save leaves memory behind, so they get rarer, unless the caller says how often. */
class SaveTimes {
  readonly #everyMs: number | undefined;
  readonly #startMs = performance.now();
  #savedMs = this.#startMs;

  constructor(everyMs: number | undefined) {
    this.#everyMs = everyMs;
  }

  isDue(): boolean {
    const { least, most } = partialAfterMs;
    const afterMs = Math.min(most, Math.max(least, this.#savedMs - this.#startMs));
    return performance.now() - this.#savedMs >= (this.#everyMs ?? afterMs);
  }

  saved(): void {
    this.#savedMs = performance.now();
  }
}

/** Events with an estimate of the time left, which knows only the samples of this run. */
class Progress {
  readonly #collection: Collection;
  readonly #startMs = performance.now();

  constructor(collection: Collection) {
    this.#collection = collection;
    collection.options.onEvent?.({ type: 'stage', stage: 'calibrate', session: collection.options.name });
  }

  show(done: number): void {
    const { options, before } = this.#collection;
    const known = before?.samples ?? 0;
    const total = Math.max(known + done, Math.min(options.samples ?? defaultSamples, options.data.count ?? Infinity));
    const remainingMs = ((performance.now() - this.#startMs) / done) * (total - known - done);
    const { name: session } = options;
    options.onEvent?.({ type: 'progress', stage: 'calibrate', session, done: known + done, total, remainingMs });
  }
}

/** The runtime says what it does not like, but not of which sample. */
const nameSample =
  ({ data }: CalibrateOptions, { index }: CalibrationSample) =>
  (error: unknown): never => {
    if (!OptimumError.isInstance(error) || error.code !== 'E_DATA_MISMATCH') throw error;
    throw new OptimumError(error.code, `Sample ${index} of ${data.source}: ${error.message}`, {
      hint: error.hint,
      context: { ...error.context, sample: index },
      cause: error,
    });
  };

const nothing = ({ name, data }: CalibrateOptions): OptimumError =>
  new OptimumError('E_DATA_INVALID', `${data.source} gave no sample to calibrate ${name} with.`, {
    hint: 'Check what --data points at.',
    context: { source: data.source },
  });
