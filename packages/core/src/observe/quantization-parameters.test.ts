import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ActivationScheme } from './activation-scheme.ts';
import { limitsOf, quantizationParameters } from './quantization-parameters.ts';

const scheme = (elementType: ActivationScheme['elementType'], symmetric: boolean): ActivationScheme => ({
  elementType,
  symmetric,
});
const span = { min: -1, max: 0.5 };

describe('quantizationParameters', () => {
  // The data [-1, -0.25, 0, 0.5] through onnxruntime's quantize_data: research, algorithms.md section 8.2.
  it.each([
    ['int8', true, 0.00787401572, 0, [-127, -32, 0, 64]],
    ['int8', false, 0.00588235306, 42, [-128, 0, 42, 127]],
    ['uint8', false, 0.00588235306, 170, [0, 128, 170, 255]],
    ['int16', true, 3.05185094e-5, 0, [-32767, -8192, 0, 16384]],
    ['uint16', false, 2.28885328e-5, 43690, undefined],
    ['int4', true, 0.13333334, 0, [-7, -2, 0, 4]],
    ['uint4', false, 0.100000001, 10, [0, 8, 10, 15]],
  ] as const)('gives the golden values of %s, symmetric %s', (elementType, symmetric, scale, zeroPoint, quantized) => {
    const parameters = quantizationParameters(span, scheme(elementType, symmetric));
    expect(parameters).toEqual({ scale: Math.fround(scale), zeroPoint });
    const { min, max } = limitsOf(elementType);
    const round = (value: number): number => {
      const quotient = Math.fround(value / parameters.scale);
      const even = quotient + 6755399441055744 - 6755399441055744;
      return Math.min(max, Math.max(min, even + zeroPoint));
    };
    if (quantized) expect([-1, -0.25, 0, 0.5].map(round)).toEqual(quantized);
  });

  it.each([
    [{ min: 0, max: 0 }, 1, 0],
    [{ min: -3, max: -2 }, 0.0117647061, 255],
    [{ min: 5, max: 5 }, 0.0196078438, 0],
    [{ min: 0, max: 1e-40 }, 1, 0],
  ])('gives the golden uint8 values at the edges: %o', (range, scale, zeroPoint) => {
    expect(quantizationParameters(range, scheme('uint8', false))).toEqual({ scale: Math.fround(scale), zeroPoint });
  });

  it('has the upper middle of unsigned types as zero point of symmetric ranges, as onnxruntime 1.30 does', () => {
    expect(quantizationParameters(span, scheme('uint8', true)).zeroPoint).toBe(128);
    expect(quantizationParameters(span, scheme('uint16', true)).zeroPoint).toBe(32768);
    expect(quantizationParameters(span, scheme('int4', true)).zeroPoint).toBe(0);
  });

  it('gives finite, positive, normal scales, zero points in the type, and zero exactly, whatever the range', () => {
    const types = ['uint8', 'int8', 'uint16', 'int16', 'uint4', 'int4'] as const;
    fc.assert(
      fc.property(
        fc.constantFrom(...types),
        fc.boolean(),
        fc.double({ noNaN: true }),
        fc.double({ noNaN: true }),
        (elementType, symmetric, a, b) => {
          const range = { min: Math.min(a, b), max: Math.max(a, b) };
          const { scale, zeroPoint } = quantizationParameters(range, scheme(elementType, symmetric));
          const { min, max } = limitsOf(elementType);
          expect(Number.isFinite(scale) && scale >= 1.1754943508222875e-38 && Math.fround(scale) === scale).toBe(true);
          expect(Number.isInteger(zeroPoint) && zeroPoint >= min && zeroPoint <= max).toBe(true);
        },
      ),
    );
  });
});
