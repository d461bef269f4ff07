import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Random, seededRandom } from '../foundation/index.ts';
import { geometricEstimate, latencyEstimates } from './estimate.ts';
import { median, quantileOf } from './quantile.ts';
import { verdictOf } from './verdict.ts';

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** Logarithm of how fast a process is: where it lies in memory, what else runs while it does. */
const processNoise = (random: Random): number => 0.02 * random.normal();

describe('quantileOf', () => {
  it('is that of definition 7', () => {
    expect(quantileOf([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(quantileOf([1, 2, 3, 4], 0.25)).toBe(1.75);
    expect(quantileOf([5], 0.99)).toBe(5);
    expect(quantileOf([1, Number.POSITIVE_INFINITY], 0)).toBe(1);
  });

  it('lies between its neighbours and grows with the part', () => {
    const values = fc.array(fc.double({ noNaN: true, min: 1e-3, max: 1e6 }), { minLength: 1 });
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (list, part) => {
        const sorted = Float64Array.from(list).sort();
        const found = quantileOf(sorted, part);
        expect(found).toBeGreaterThanOrEqual(sorted[Math.floor((list.length - 1) * part)] as number);
        expect(found).toBeLessThanOrEqual(quantileOf(sorted, Math.min(1, part + 0.1)) * (1 + 1e-12));
      }),
    );
  });
});

describe('geometricEstimate', () => {
  it('is the t interval of the logarithms', () => {
    const { value, low, high } = geometricEstimate([1, Math.E, Math.E ** 2]);
    // Mean 1, deviation 1, t with 2 degrees of freedom 4.303.
    expect(Math.log(value)).toBeCloseTo(1, 12);
    expect(Math.log(high)).toBeCloseTo(1 + 4.303 / Math.sqrt(3), 9);
    expect(Math.log(low)).toBeCloseTo(1 - 4.303 / Math.sqrt(3), 9);
  });

  it('turns over with its values', () => {
    const ratios = fc.array(fc.double({ min: 0.5, max: 2, noNaN: true }), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(ratios, (list) => {
        const [there, back] = [geometricEstimate(list), geometricEstimate(list.map((ratio) => 1 / ratio))];
        expect(back.value).toBeCloseTo(1 / there.value, 9);
        expect(back.low).toBeCloseTo(1 / there.high, 9);
      }),
    );
  });

  it('is wider where fewer rounds are independent, and without bounds for one', () => {
    const ratios = [1, 1.01, 0.99, 1.02, 0.98, 1];
    const [all, half] = [geometricEstimate(ratios), geometricEstimate(ratios, { independent: 3 })];
    expect(half.value).toBe(all.value);
    expect(Math.log(half.high / half.low)).toBeCloseTo(Math.SQRT2 * Math.log(all.high / all.low), 9);
    expect(geometricEstimate([1.5])).toEqual({ value: 1.5, low: 0, high: Number.POSITIVE_INFINITY });
  });

  it('holds the truth in at least 90 of 100 runs, however few the rounds', () => {
    const random = seededRandom(3);
    for (const rounds of [3, 6, 40]) {
      const held = times(400, () => {
        const ratios = times(rounds, () => 1.5 * Math.exp(processNoise(random) - processNoise(random)));
        const { low, high } = geometricEstimate(ratios);
        return low <= 1.5 && 1.5 <= high ? 1 : 0;
      });
      expect(held.filter(Boolean).length).toBeGreaterThan(360);
    }
  });
});

describe('latencyEstimates', () => {
  /** Runs of one process: all of them fast or slow together, some with a long tail. */
  const round = (random: Random): number[] => {
    const center = 10 * Math.exp(processNoise(random));
    return times(60, () => center * Math.exp(0.01 * Math.abs(random.normal())));
  };

  it('holds the median in at least 90 of 100 runs, though runs of one process are alike', () => {
    const random = seededRandom(5);
    const truth = median(times(400, () => round(random)).flat());
    const held = times(100, () => {
      const { p50 } = latencyEstimates(
        times(6, () => round(random)),
        1,
      );
      return p50.low <= truth && truth <= p50.high;
    });
    expect(held.filter(Boolean).length).toBeGreaterThan(89);
  });

  it('is the same for the same seed, in order, and exact where nothing varies', () => {
    const random = seededRandom(7);
    const rounds = times(5, () => round(random));
    const found = latencyEstimates(rounds, 1);
    expect(latencyEstimates(rounds, 1)).toEqual(found);
    expect(found.p50.value).toBeLessThan(found.p90.value);
    expect(found.p90.value).toBeLessThan(found.p99.value);
    const { p99 } = latencyEstimates([[2, 2], [2]], 1);
    for (const number of [p99.value, p99.low, p99.high]) expect(number).toBeCloseTo(2, 9);
    expect(latencyEstimates([[2, 3]], 1).mean).toEqual({ value: 2.5, low: 0, high: Number.POSITIVE_INFINITY });
  });
});

describe('verdictOf', () => {
  it.each([
    [1.01, 1.2, 'faster'],
    [0.8, 0.99, 'slower'],
    [0.99, 1.2, 'same'],
    [1, 1, 'same'],
  ] as const)('%f to %f: %s', (low, high, verdict) => {
    expect(verdictOf({ low, high })).toBe(verdict);
  });
});
