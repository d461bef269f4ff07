import type { QuantizationParameters } from '@optimum/core';
import type { Expectation } from './product.ts';

/** Half a step, and what float32 arithmetic shifts on 255 steps before they are rounded. */
const halfStep = 0.5 + 2 ** -10;

/**
 * Scale and zero point for an output in 8 bits: a power of two that holds all of it, so that nothing is cut off.
 */
export function outputParameters(expected: Float64Array): QuantizationParameters {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return { scale: 2 ** Math.ceil(Math.log2(Math.max(largest, 2 ** -20) / 120)), zeroPoint: 128 };
}

/** The same, rounded to 8 bits: half a step more; no less than that where all before it is exact. */
export function roundedTo(
  { scale }: QuantizationParameters,
  { expected, allowed }: Expectation,
  isExact: boolean,
): Expectation {
  return { expected, allowed: allowed.map((bound) => (isExact ? 0 : bound) + halfStep * scale) };
}
