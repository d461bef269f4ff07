import type { Session, TensorData } from '../backend/index.ts';
import { throwIfAborted } from '../foundation/index.ts';

/** Speed of one model against another on the same input, measured side by side. */
export interface SpeedComparison {
  /** Medians in milliseconds. */
  readonly originalMs: number;
  readonly quantizedMs: number;
  /** Original over quantized: 2 means twice as fast. Median of the rounds' ratios with its 95 % interval. */
  readonly speedup: number;
  readonly low: number;
  readonly high: number;
  readonly rounds: number;
  /** `faster` or `slower` only when the interval excludes 1. */
  readonly verdict: 'faster' | 'slower' | 'same';
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

/** Ratio of paired times with its interval; pure, so that it can be tested. */
export function compareTimes(
  originals: readonly number[],
  quantizeds: readonly number[],
): Omit<SpeedComparison, 'threads' | 'input'> {
  const ratios = originals.map((ms, round) => ms / (quantizeds[round] as number)).sort((a, b) => a - b);
  const [low, high] = medianInterval(ratios);
  return {
    originalMs: median(originals),
    quantizedMs: median(quantizeds),
    speedup: median(ratios),
    low,
    high,
    rounds: ratios.length,
    verdict: low > 1 ? 'faster' : high < 1 ? 'slower' : 'same',
  };
}

/**
 * 95 % interval of the median of sorted values.
 * @source binomial order statistics; ranks by the normal approximation n/2 ∓ 1.96·√n/2
 */
export function medianInterval(sorted: readonly number[]): [number, number] {
  const n = sorted.length;
  const spread = (1.96 * Math.sqrt(n)) / 2;
  const lower = clamp(Math.floor(n / 2 - spread), 0, n - 1);
  return [sorted[lower] as number, sorted[n - 1 - lower] as number];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

const dimsOf = (feeds: Readonly<Record<string, TensorData>>): Record<string, readonly number[]> =>
  Object.fromEntries(Object.entries(feeds).map(([name, { dims }]) => [name, dims]));
