import type { Session, TensorData } from '../backend/index.ts';
import { compareTimes, median, type TimeComparison } from '../evaluate/index.ts';
import { throwIfAborted } from '../foundation/index.ts';

/** Speed of one model against another on the same input, measured side by side. */
export interface SpeedComparison extends TimeComparison {
  readonly threads: number;
  readonly input: Readonly<Record<string, readonly number[]>>;
}

/**
 * Runs both in turn, round by round, so that drift of the machine hits both. The interval is that of the median by
 * order statistics, which holds for any distribution.
 */
export async function measureSpeed(
  original: Session,
  quantized: Session,
  feeds: Readonly<Record<string, TensorData>>,
  options: { readonly budgetMs?: number; readonly threads?: number; readonly signal?: AbortSignal | undefined } = {},
): Promise<SpeedComparison> {
  const warm = [await original.time(feeds, 2), await quantized.time(feeds, 2)];
  const perRound = Math.max(0.05, (warm[0]?.[1] ?? 1) + (warm[1]?.[1] ?? 1));
  const budgetMs = options.budgetMs ?? 3000;
  const repetitions = clamp(Math.round(20 / perRound), 1, 50);
  const rounds = clamp(Math.floor(budgetMs / (perRound * repetitions)), 15, 41);
  const originals: number[] = [];
  const quantizeds: number[] = [];
  for (let round = 0; round < rounds; round++) {
    throwIfAborted(options.signal);
    originals.push(median(await original.time(feeds, repetitions)));
    quantizeds.push(median(await quantized.time(feeds, repetitions)));
  }
  return { ...compareTimes(originals, quantizeds), threads: options.threads ?? 1, input: dimsOf(feeds) };
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

const dimsOf = (feeds: Readonly<Record<string, TensorData>>): Record<string, readonly number[]> =>
  Object.fromEntries(Object.entries(feeds).map(([name, { dims }]) => [name, dims]));
