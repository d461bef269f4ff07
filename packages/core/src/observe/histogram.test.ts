import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binOf, clippedShare, edgesOf, linearBins, momentsOf, quantileOf, spansOf } from './histogram.ts';
import { observationOf } from './test-observation.ts';

const finite = fc.float({ noNaN: true, noDefaultInfinity: true, min: -(2 ** 96), max: 2 ** 96 });
const smallest = fc.constantFrom(1e-45, -1e-45, 1e-40, -1e-40, 0, -0);
const values = fc.array(fc.oneof(finite, smallest), { minLength: 1, maxLength: 30 });

describe('edgesOf', () => {
  it.each([
    [1, 0x3f80, 1, 1 + 1 / 128],
    [-1, 0xbf80, -(1 + 1 / 128), -1],
    [0, 0, 0, 0],
    [-0, 0x8000, 0, 0],
    [1e-40, 1, 2 ** -133, 2 ** -132],
  ])('has %d in bin %i', (value, bin, low, high) => {
    expect(binOf(value)).toBe(bin);
    expect(edgesOf(bin)).toEqual({ low, high });
  });

  it('has every value between the edges of its bin', () => {
    fc.assert(
      fc.property(finite, (value) => {
        const { low, high } = edgesOf(binOf(value));
        if (Math.abs(value) >= 2 ** -133) expect(value >= low && value <= high).toBe(true);
      }),
    );
  });
});

describe('spansOf', () => {
  it('is ascending and never turned around, down to the smallest numbers', () => {
    fc.assert(
      fc.property(values, (own) => {
        const spans = spansOf(observationOf(own));
        expect(spans.reduce((sum, { count }) => sum + count, 0)).toBe(own.length);
        expect(spans.every(({ low, high }, index) => low <= high && low >= (spans[index - 1]?.low ?? low))).toBe(true);
      }),
    );
  });
});

describe('linearBins', () => {
  it('keeps the mass', () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 300 }), (own, bins) => {
        const observation = observationOf([...own, 1]);
        const low = Math.min(0, observation.min);
        const counts = linearBins(spansOf(observation), low, observation.max, bins);
        expect(counts.reduce((a, b) => a + b, 0)).toBeCloseTo(own.length + 1, 6);
      }),
    );
  });

  it('spreads what a bin holds evenly', () => {
    const [spans] = [[{ low: 0, high: 4, count: 8 }]];
    expect([...linearBins(spans, 0, 4, 4)]).toEqual([2, 2, 2, 2]);
    expect([...linearBins(spans, 2, 6, 2)]).toEqual([4, 0]);
  });
});

describe('quantiles and moments', () => {
  const observation = observationOf(Array.from({ length: 2000 }, (_, index) => index - 1000));
  const spans = spansOf(observation);

  it('are within the width of a bin', () => {
    expect(Math.abs(quantileOf(spans, 0.5))).toBeLessThan(8);
    expect(momentsOf(spans).variance / (2000 ** 2 / 12)).toBeCloseTo(1, 2);
    expect(Math.abs(momentsOf(spans).mean + 0.5)).toBeLessThan(1);
  });

  it('end at what was seen', () => {
    expect([quantileOf(spans, 0), quantileOf(spans, 1)]).toEqual([-1000, 999]);
  });
});

describe('clippedShare', () => {
  it('counts what lies outside', () => {
    const observation = observationOf(Array.from({ length: 2000 }, (_, index) => index - 1000));
    expect(clippedShare(observation, { min: -500, max: 500 })).toBeCloseTo(0.5, 2);
    expect(clippedShare(observation, observation)).toBe(0);
  });

  it('does not count what lies between zero and the range, nor zero', () => {
    expect(clippedShare(observationOf([0, 1, 2, 3, 4]), { min: 3, max: 4 })).toBe(0);
    expect(clippedShare(observationOf([1e-45]), { min: 1e-45, max: 1e-45 })).toBe(0);
  });
});
