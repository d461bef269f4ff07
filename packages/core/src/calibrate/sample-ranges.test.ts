import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countSamples, hasSample, type SampleRanges, withSample } from './sample-ranges.ts';

const rangesOf = (samples: readonly number[]): SampleRanges => samples.reduce<SampleRanges>(withSample, []);

describe('sample ranges', () => {
  it('join where they touch', () => {
    expect(rangesOf([0, 1, 2])).toEqual([[0, 3]]);
    expect(rangesOf([0, 2, 5])).toEqual([[0, 1], [2, 3], [5, 6]]); // biome-ignore format: one line reads better
    expect(rangesOf([0, 2, 1])).toEqual([[0, 3]]);
    expect(rangesOf([7, 7])).toEqual([[7, 8]]);
  });

  it('hold what was put in, in whatever order', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), (samples) => {
        const ranges = rangesOf(samples);
        const numbers = new Set(samples);
        expect(countSamples(ranges)).toBe(numbers.size);
        for (let sample = 0; sample < 22; sample++) expect(hasSample(ranges, sample)).toBe(numbers.has(sample));
        expect(rangesOf([...numbers].sort((a, b) => b - a))).toEqual(ranges);
        // Ascending and apart.
        ranges.forEach(([from, to], index) => {
          expect(from).toBeLessThan(to);
          expect(from).toBeGreaterThan(ranges[index - 1]?.[1] ?? -1);
        });
      }),
    );
  });
});
