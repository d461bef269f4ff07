import { describe, expect, it } from 'vitest';
import { compareTimes, medianInterval } from './compare-times.ts';
import { median } from './quantile.ts';

const rounds = (ms: number, jitter: readonly number[]): number[] => jitter.map((j) => ms + j);
const jitter = [0, 0.1, -0.1, 0.2, -0.2, 0.05, -0.05, 0.15, -0.15, 0.1, 0];

describe('compareTimes', () => {
  it('says faster only when the interval excludes 1', () => {
    expect(compareTimes(rounds(4, jitter), rounds(2, jitter)).verdict).toBe('faster');
    expect(compareTimes(rounds(2, jitter), rounds(4, jitter)).verdict).toBe('slower');
    expect(compareTimes(rounds(2, jitter), rounds(2, [...jitter].reverse())).verdict).toBe('same');
  });

  it('pairs the rounds, so that drift cancels', () => {
    const drift = Array.from({ length: 15 }, (_, round) => 1 + round);
    const result = compareTimes(
      drift.map((ms) => ms * 3),
      drift,
    );
    expect(result.speedup).toBeCloseTo(3, 12);
    expect([result.low, result.high]).toEqual([3, 3]);
  });
});

describe('medianInterval', () => {
  it('lies inside the values and holds the median', () => {
    const sorted = Array.from({ length: 25 }, (_, index) => index);
    const [low, high] = medianInterval(sorted);
    expect(low).toBeLessThan(median(sorted));
    expect(high).toBeGreaterThan(median(sorted));
    // Binomial(25, ½): ranks 8 and 18 (1-based) hold the median with 95.7 %.
    expect([low, high]).toEqual([7, 17]);
  });
});
