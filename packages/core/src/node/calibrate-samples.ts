import type { TensorData } from '../backend/index.ts';
import { OptimumError, throwIfAborted } from '../foundation/index.ts';

/** One sample of a data set. */
export interface CalibrationSample {
  /** Number of the sample in its data set. */
  readonly index: number;
  readonly feeds: Readonly<Record<string, TensorData>>;
}

export interface SampleLimits {
  /** Samples are not read past this many. */
  readonly samples: number;
  /** Longest wait for one sample. */
  readonly waitLimitMs: number;
  /** Samples that are left out: they are in the statistics already. */
  readonly isKnown: (index: number) => boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The samples of an iterator that nobody vouches for: checked, at most so many, each within its time. The next one is
 * made while the caller works on this one.
 * @throws E_DATA_INVALID when the iterator throws, does not answer or does not ascend; E_INTERRUPTED
 */
export async function* readSamples(
  source: AsyncIterable<CalibrationSample>,
  limits: SampleLimits,
): AsyncGenerator<CalibrationSample> {
  const iterator = source[Symbol.asyncIterator]();
  let last = -1;
  const read = (): Promise<CalibrationSample | undefined> => {
    const reading = readOne(iterator, last, limits);
    // Whether it fails is told when the sample is asked for.
    reading.catch(() => undefined);
    return reading;
  };
  try {
    let pending = read();
    for (let count = 1; ; count++) {
      const sample = await pending;
      if (!sample) return;
      last = sample.index;
      const isLast = count === limits.samples;
      if (!isLast) pending = read();
      if (!limits.isKnown(sample.index)) yield sample;
      if (isLast) return;
    }
  } finally {
    // An iterator that hangs does not hang the end.
    Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}

async function readOne(
  iterator: AsyncIterator<CalibrationSample>,
  last: number,
  { waitLimitMs, signal }: SampleLimits,
): Promise<CalibrationSample | undefined> {
  const after = last < 0 ? 'the first sample' : `the sample after number ${last}`;
  const result = await within(
    Promise.resolve(iterator.next()).catch((error: unknown) => {
      if (OptimumError.isInstance(error)) throw error;
      const message = error instanceof Error ? error.message : String(error);
      throw invalid(`The data failed at ${after}: ${message}.`, { last }, error);
    }),
    waitLimitMs,
    () => invalid(`The data did not give ${after} within ${waitLimitMs} ms.`, { last, waitLimitMs }),
    signal,
  );
  if (result.done) return undefined;
  const { index } = result.value;
  if (Number.isSafeInteger(index) && index > last) return result.value;
  throw invalid(`The data gave sample number ${index} after ${last}: numbers have to ascend.`, { last, index });
}

const invalid = (message: string, context: Record<string, unknown>, cause?: unknown): OptimumError =>
  new OptimumError('E_DATA_INVALID', message, { context, ...(cause !== undefined && { cause }) });

/** The result of a promise, unless time is up or the signal comes first. */
async function within<T>(
  promise: Promise<T>,
  limitMs: number,
  late: () => OptimumError,
  signal: AbortSignal | undefined,
): Promise<T> {
  throwIfAborted(signal);
  let settle = (): void => undefined;
  const end = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => reject(late()), limitMs);
    const onAbort = (): void => {
      try {
        throwIfAborted(signal);
      } catch (error) {
        reject(error);
      }
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
  });
  try {
    return await Promise.race([promise, end]);
  } finally {
    settle();
  }
}
