import { describe, expect, it } from 'vitest';
import { windowFunction } from './window.ts';

describe('windows', () => {
  // scipy.signal.windows, SciPy 1: hann(5, sym=False), hamming(5, sym=True), hann(6, sym=True) ** 0.85
  it.each([
    ['hann', 5, 'periodic', [0.0, 0.34549150281252633, 0.9045084971874737, 0.9045084971874737, 0.34549150281252633]],
    ['hamming', 5, 'symmetric', [0.08, 0.54, 1.0, 0.54, 0.08]],
    [
      'povey',
      6,
      'symmetric',
      [0.0, 0.4052021723395613, 0.9182284685898244, 0.9182284685898244, 0.4052021723395613, 0.0],
    ],
    ['rectangular', 3, 'periodic', [1, 1, 1]],
    ['hann', 1, 'symmetric', [1]],
  ] as const)('%s of %i, %s', (name, length, shape, expected) => {
    const window = windowFunction(name, length, shape);
    expect(window.length).toBe(expected.length);
    window.forEach((value, index) => expect(value).toBeCloseTo(expected[index] as number, 15));
  });

  it('periodic Hann windows that overlap by half sum to one', () => {
    const window = windowFunction('hann', 400, 'periodic');
    for (let index = 0; index < 200; index++)
      expect((window[index] as number) + (window[index + 200] as number)).toBeCloseTo(1, 14);
  });
});
