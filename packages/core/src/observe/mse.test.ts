import { describe, expect, it } from 'vitest';
import { seededRandom } from '../foundation/index.ts';
import { roundHalfEven } from '../kernels/index.ts';
import type { ActivationScheme } from './activation-scheme.ts';
import type { Range } from './calibration-method.ts';
import { mseRange } from './mse.ts';
import { limitsOf, quantizationParameters } from './quantization-parameters.ts';
import { observationOf } from './test-observation.ts';

const uint8 = { elementType: 'uint8', symmetric: false } as const;
const int8 = { elementType: 'int8', symmetric: true } as const;
const uint4 = { elementType: 'uint4', symmetric: false } as const;
const int4 = { elementType: 'int4', symmetric: true } as const;

/** Sum of squared errors of the values themselves. */
function errorOf(values: readonly number[], range: Range, scheme: ActivationScheme): number {
  const { scale, zeroPoint } = quantizationParameters(range, scheme);
  const { min, max } = limitsOf(scheme.elementType);
  const through = (value: number): number =>
    (Math.min(max, Math.max(min, roundHalfEven(value / scale) + zeroPoint)) - zeroPoint) * scale;
  return values.reduce((sum, value) => sum + (value - through(value)) ** 2, 0);
}

const random = seededRandom(11);
const normal = Array.from({ length: 2000 }, () => random.normal());
const data: readonly [string, readonly number[]][] = [
  ['normal numbers', normal],
  ['one outlier', [...normal, 50]],
  ['one outlier at each side', [...normal, 50, -50]],
  ['a Relu', normal.map((value) => Math.max(0, value))],
  // Most are far below one step: a model that takes half a step for their error clips what counts.
  ['a long tail', normal.map((value) => Math.exp(2 * value))],
  ['mostly zeros', normal.map((value, index) => (index % 50 ? 0 : value))],
  ['negative numbers', normal.map((value) => -Math.abs(value) - 1)],
];

describe.each(data)('mseRange of %s', (_, values) => {
  const observation = observationOf(values);

  it.each([uint8, int8, uint4, int4])('is as good as the best of many ranges: $elementType', (scheme) => {
    const found = errorOf(
      observation.min < 0 || observation.max > 0 ? values : [],
      mseRange(observation, scheme),
      scheme,
    );
    const [low, high] = [Math.min(0, observation.min), Math.max(0, observation.max)];
    const factors = Array.from({ length: 24 }, (_, step) => 2 ** (-step / 6));
    const candidates = factors.flatMap((one) =>
      (scheme.symmetric ? [one] : factors).map((other) => ({ min: low * one, max: high * other })),
    );
    const best = Math.min(...candidates.map((range) => errorOf(values, range, scheme)));
    // Where in its bin a value lies is not known: 1/128 of it for a lone outlier.
    expect(found).toBeLessThanOrEqual(best * 1.05);
  });
});

describe('mseRange', () => {
  it('keeps a lone outlier whose clipping would cost more than all rounding', () => {
    expect(mseRange(observationOf([...normal, 50]), uint8).max).toBeGreaterThan(45);
  });

  it('clips it where levels are few', () => {
    expect(mseRange(observationOf([...normal, 50]), int4).max).toBeLessThan(40);
  });

  it('finds nothing to do for zeros', () => {
    expect(mseRange(observationOf([0, 0]), uint8)).toEqual({ min: 0, max: 0 });
  });
});
