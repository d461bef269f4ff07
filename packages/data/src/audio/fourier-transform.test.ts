import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FourierTransform } from './fourier-transform.ts';

/** The definition, term by term. */
function direct(signal: Float64Array): { real: number; imaginary: number }[] {
  const length = signal.length;
  return Array.from({ length }, (_, bin) => {
    const sum = { real: 0, imaginary: 0 };
    signal.forEach((value, n) => {
      const angle = (-2 * Math.PI * ((bin * n) % length)) / length;
      sum.real += value * Math.cos(angle);
      sum.imaginary += value * Math.sin(angle);
    });
    return sum;
  });
}

const signals = (length: number) =>
  fc
    .array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: length, maxLength: length })
    .map((values) => Float64Array.from(values));

const anySignal = fc.integer({ min: 1, max: 96 }).chain(signals);

/** Rounding grows with the length: each of some log2(N) levels adds about 2^-53 of the sum of the signal's size. */
const bound = (signal: Float64Array) => 1e-14 * (1 + signal.reduce((sum, value) => sum + Math.abs(value), 0));

describe('the Fourier transform', () => {
  it('of every length is that of the definition', () => {
    fc.assert(
      fc.property(anySignal, (signal) => {
        const transform = new FourierTransform(signal.length);
        transform.transform(signal);
        direct(signal).forEach(({ real, imaginary }, bin) => {
          expect(Math.abs((transform.real[bin] as number) - real)).toBeLessThan(10 * bound(signal));
          expect(Math.abs((transform.imaginary[bin] as number) - imaginary)).toBeLessThan(10 * bound(signal));
        });
      }),
    );
  });

  it('keeps the energy (Parseval)', () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 400, 512, 397, 1024, 7 * 11 * 13).chain(signals), (signal) => {
        const { length } = signal;
        const transform = new FourierTransform(length);
        transform.transform(signal);
        const energy = signal.reduce((sum, value) => sum + value * value, 0);
        const spectral = transform.real.reduce(
          (sum, real, bin) => sum + real ** 2 + (transform.imaginary[bin] as number) ** 2,
          0,
        );
        expect(Math.abs(spectral / length - energy)).toBeLessThanOrEqual(1e-12 * (energy + 1e-300));
      }),
      { numRuns: 40 },
    );
  });

  it('is what NumPy gives', () => {
    // numpy.fft.fft([1, -2, 3.5, 0.25, -1, 2, 0.5]), NumPy 2
    const transform = new FourierTransform(7);
    transform.transform(Float64Array.of(1, -2, 3.5, 0.25, -1, 2, 0.5));
    const expected = [
      [4.25, 0],
      [-0.48337319, -0.05016784],
      [-4.08916472, 4.06543474],
      [5.94753791, 1.03879668],
    ] as const;
    expected.forEach(([real, imaginary], bin) => {
      expect(transform.real[bin]).toBeCloseTo(real, 8);
      expect(transform.imaginary[bin]).toBeCloseTo(imaginary, 8);
    });
  });

  it('leaves nothing of the last signal behind', () => {
    const transform = new FourierTransform(6);
    transform.transform(Float64Array.of(1, 2, 3, 4, 5, 6));
    transform.transform(new Float64Array(6));
    expect([...transform.real, ...transform.imaginary].every((value) => value === 0)).toBe(true);
  });

  it.each([0, -4, 2.5, Number.NaN])('has no length %d', (length) => {
    expect(() => new FourierTransform(length)).toThrow(expect.objectContaining({ code: 'E_CONFIG_LIMIT' }));
  });
});
