import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scaleFromZero, scaleOver } from './scale.ts';

const extent = { start: 50, end: 650 };

describe('scaleFromZero', () => {
  it('starts at zero and ends at a round value past the greatest', () => {
    const scale = scaleFromZero([3, 72.1], extent);
    expect(scale.ticks).toEqual([0, 20, 40, 60, 80]);
    expect([0, 40, 80].map(scale.position)).toEqual([50, 350, 650]);
  });

  it('has a place for zero where there is nothing else', () => {
    expect(scaleFromZero([0, Number.NaN], extent).position(0)).toBe(50);
  });
});

describe('scaleOver', () => {
  it('shows ratios as distances where the range is wide, and equal steps where it is not', () => {
    expect(scaleOver([10, 12], extent).kind).toBe('linear');
    const wide = scaleOver([1, 1000], extent);
    expect(wide.kind).toBe('logarithmic');
    expect(wide.position(10) - wide.position(1)).toBeCloseTo(wide.position(1000) - wide.position(100), 6);
  });

  it('takes values that no logarithm takes', () => {
    expect(scaleOver([0, 1000], extent, true)).toMatchObject({ kind: 'linear', ticks: expect.arrayContaining([0]) });
    expect(scaleOver([], extent).position(0)).toBe(50);
  });

  it('keeps all values and ticks inside, with few ticks and at least two', () => {
    const values = fc.array(fc.double({ min: 1e-6, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(values, fc.boolean(), (shown, ratios) => {
        const { position, ticks } = scaleOver(shown, extent, ratios);
        expect(ticks.length).toBeGreaterThanOrEqual(2);
        expect(ticks.length).toBeLessThanOrEqual(13);
        for (const value of [...shown, ...ticks]) {
          expect(position(value)).toBeGreaterThanOrEqual(49.999);
          expect(position(value)).toBeLessThanOrEqual(650.001);
        }
      }),
    );
  });
});
