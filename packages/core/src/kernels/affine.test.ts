import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asymmetricUint8, pairAwareScale, roundHalfEven, symmetricScale } from './affine.ts';

const float = (value: number): number => Math.fround(value);

// Golden values of onnxruntime's Python quantizer (research: algorithms.md 8.2), data [-1, -0.25, 0, 0.5].
describe('affine parameters', () => {
  it('are those of the Python tool', () => {
    expect(symmetricScale(1)).toBe(float(0.00787401572));
    expect(symmetricScale(1, 'reduced')).toBe(0.015625);
    expect(asymmetricUint8(-1, 0.5)).toEqual({ scale: float(0.00588235306), zeroPoint: 170 });
  });

  it('include zero and survive the edges', () => {
    expect(asymmetricUint8(0, 0)).toEqual({ scale: 1, zeroPoint: 0 });
    expect(asymmetricUint8(-3, -2)).toEqual({ scale: float(0.0117647061), zeroPoint: 255 });
    expect(asymmetricUint8(5, 5)).toEqual({ scale: float(0.0196078438), zeroPoint: 0 });
    expect(asymmetricUint8(0, 1e-40)).toEqual({ scale: 1, zeroPoint: 0 });
    expect(symmetricScale(0)).toBe(1);
  });

  it('are always finite, positive and normal', () => {
    fc.assert(
      fc.property(
        fc.float({ noNaN: true, noDefaultInfinity: true, min: 0 }),
        fc.float({ noNaN: true, noDefaultInfinity: true, min: 0 }),
        (a, b) => {
          for (const scale of [symmetricScale(a), asymmetricUint8(-a, b).scale, pairAwareScale(a, a + b)]) {
            expect(scale).toBeGreaterThanOrEqual(1.17549435e-38);
            expect(Number.isFinite(scale)).toBe(true);
          }
        },
      ),
    );
  });

  it('round half to even', () => {
    expect([0.5, 1.5, 2.5, 3.5, -1.5, 2.4, 2.6].map(roundHalfEven)).toEqual([0, 2, 2, 4, -2, 2, 3]);
  });
});
