import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { meanOfUnits, toUnits } from './exact-sum.ts';

describe('exact sums', () => {
  it.each([
    [0, 0n],
    [-0, 0n],
    [1.401298464324817e-45, 1n],
    [-1.1754943508222875e-38, -(1n << 23n)],
    [1, 1n << 149n],
    [-1.5, -(3n << 148n)],
  ])('count %d as %i', (value, units) => {
    expect(toUnits(value)).toBe(units);
    expect(meanOfUnits(String(units), 1)).toBe(value + 0);
  });

  it('are exact, and means are within a rounding', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 9 }),
        (values) => {
          const sum = values.reduce((total, value) => total + toUnits(value), 0n);
          const mean = meanOfUnits(String(sum), values.length);
          const expected = values.reduce((total, value) => total + value / values.length, 0);
          const largest = Math.max(...values.map(Math.abs));
          expect(Math.abs(mean - expected)).toBeLessThanOrEqual(largest * 1e-14 + 1e-45);
        },
      ),
    );
  });
});
