import { median } from './quantile.ts';
import { type Verdict, verdictOf } from './verdict.ts';

/** Times of two models in rounds of the same sessions. */
export interface TimeComparison {
  /** Medians in milliseconds. */
  readonly originalMs: number;
  readonly quantizedMs: number;
  /** Original over quantized: 2 means twice as fast. Median of the rounds' ratios with its 95 % interval. */
  readonly speedup: number;
  readonly low: number;
  readonly high: number;
  readonly rounds: number;
  /** `faster` or `slower` only when the interval excludes 1. */
  readonly verdict: Verdict;
}

/** Ratio of paired times with its interval. */
export function compareTimes(originals: readonly number[], quantizeds: readonly number[]): TimeComparison {
  const ratios = originals.map((ms, round) => ms / (quantizeds[round] as number)).sort((a, b) => a - b);
  const [low, high] = medianInterval(ratios);
  return {
    originalMs: median(originals),
    quantizedMs: median(quantizeds),
    speedup: median(ratios),
    low,
    high,
    rounds: ratios.length,
    verdict: verdictOf({ low, high }),
  };
}

/**
 * 95 % interval of the median of sorted values that are independent.
 * @source binomial order statistics; ranks by the normal approximation n/2 ∓ 1.96·√n/2
 */
export function medianInterval(sorted: readonly number[]): [number, number] {
  const n = sorted.length;
  const spread = (1.96 * Math.sqrt(n)) / 2;
  const lower = Math.min(n - 1, Math.max(0, Math.floor(n / 2 - spread)));
  return [sorted[lower] as number, sorted[n - 1 - lower] as number];
}
