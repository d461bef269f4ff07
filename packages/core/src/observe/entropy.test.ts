import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../foundation/index.ts';
import { entropyRange, leastDivergence } from './entropy.ts';
import { clippedShare } from './histogram.ts';
import { observationOf } from './test-observation.ts';

const uint8 = { elementType: 'uint8', symmetric: false } as const;
const int8 = { elementType: 'int8', symmetric: true } as const;
const options = { bins: 2048, quantizedBins: 128 };

function normalNumbers(count: number): number[] {
  const random = seededRandom(5);
  return Array.from({ length: count }, () => random.normal());
}
const gelu = (x: number): number => 0.5 * x * (1 + Math.tanh(0.7978845608 * (x + 0.044715 * x ** 3)));

describe('entropyRange', () => {
  const normal = normalNumbers(20_000);

  it.each([50, 500, 1e20])('clips a lone outlier of %d', (outlier) => {
    for (const scheme of [uint8, int8]) {
      const { max } = entropyRange(observationOf([...normal, outlier]), scheme, options);
      expect(max).toBeGreaterThan(3);
      expect(max).toBeLessThan(6);
    }
  });

  it('keeps what stands out of a background that most values are', () => {
    // Pixels of digits, normalized: four of five are the background.
    const pixels = Array.from({ length: 10_000 }, (_, index) => (index % 5 === 0 ? (index / 10_000) * 3.24 : 0) - 0.42);
    for (const scheme of [uint8, int8]) {
      const observation = observationOf(pixels);
      expect(clippedShare(observation, entropyRange(observation, scheme, options))).toBeLessThanOrEqual(0.011);
    }
  });

  it('keeps what a Relu lets through, though half of all values are zero', () => {
    const { min, max } = entropyRange(observationOf(normal.map((value) => Math.max(0, value))), uint8, options);
    expect(min).toBe(0);
    expect(max).toBeGreaterThan(3);
  });

  it('does not see zeros at all', () => {
    const [plain, padded] = [observationOf(normal), observationOf([...normal, ...new Array<number>(500_000).fill(0)])];
    expect(entropyRange(padded, int8, options)).toEqual(entropyRange(plain, int8, options));
  });

  it.each([
    ['two narrow peaks far from zero', normal.map((value, index) => value / 10 + (index % 2 ? 10 : -10))],
    ['a Gelu', normal.map((value) => gelu(2 * value))],
    ['a uniform distribution', normal.map((_, index) => index / 10_000 - 1)],
  ])('clips hardly anything of %s', (_, values) => {
    const observation = observationOf(values);
    for (const scheme of [uint8, int8])
      expect(clippedShare(observation, entropyRange(observation, scheme, options))).toBeLessThan(0.005);
  });
});

/** The same without prefix sums: both distributions written out. */
function plainDivergence(counts: readonly number[], beyond: number, kept: number, levels: number): number {
  const p = counts.slice(0, kept);
  const clipped = beyond + counts.slice(kept).reduce((sum, count) => sum + count, 0);
  const q = new Array<number>(kept).fill(0);
  for (let level = 0; level < levels; level++) {
    const [from, to] = [Math.floor((level * kept) / levels), Math.floor(((level + 1) * kept) / levels)];
    const inside = counts.slice(from, to);
    const filled = inside.filter((count) => count > 0).length;
    const mass = inside.reduce((sum, count) => sum + count, 0);
    for (let bin = from; bin < to; bin++) if (counts[bin] !== 0) q[bin] = mass / filled;
  }
  if (counts[kept - 1] === 0) q[kept - 1] = 1e-4;
  p[kept - 1] = (p[kept - 1] as number) + clipped;
  const total = p.reduce((sum, count) => sum + count, 0);
  const terms = p.map((count, bin) => (count > 0 ? count * Math.log(count / (q[bin] as number)) : 0));
  return (terms.reduce((sum, term) => sum + term, 0) - clipped) / total;
}

describe('leastDivergence', () => {
  it('finds the least of all candidates that clip no more than a hundredth, as plain loops compute them', () => {
    const histograms = fc.array(fc.oneof(fc.constant(0), fc.nat(1000)), { minLength: 16, maxLength: 48 });
    fc.assert(
      fc.property(histograms, fc.nat(20), fc.constantFrom(4, 8, 16), (counts, beyond, levels) => {
        fc.pre(counts.some((count) => count > 0));
        const kept = leastDivergence(Float64Array.from(counts), beyond, levels);
        const massOf = (bins: readonly number[]): number => bins.reduce((sum, count) => sum + count, 0);
        const total = massOf(counts) + beyond;
        const candidates = counts.flatMap((_, bin) =>
          bin + 1 >= levels && massOf(counts.slice(0, bin + 1)) >= 0.99 * total
            ? [plainDivergence(counts, beyond, bin + 1, levels)]
            : [],
        );
        fc.pre(candidates.length > 0);
        expect(plainDivergence(counts, beyond, kept, levels)).toBeCloseTo(Math.min(...candidates), 9);
      }),
    );
  });
});
