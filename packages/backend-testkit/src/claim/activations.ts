import type { QuantizationParameters, Random } from '@optimum/core';

/** Activations in float, with the parameters by which they become exactly the integers that were meant. */
export interface Activations {
  readonly values: Float32Array;
  readonly parameters: QuantizationParameters;
}

/**
 * Evenly spread numbers in [-2, 2), both ends included: whether the scale is taken from the data or given, it is 2^-6
 * exactly, with zero point 128, so that no number is off by more than half a step.
 */
export function spreadActivations(count: number, random: Random): Activations {
  const step = 2 ** -6;
  const values = Float32Array.from({ length: count }, (_, index) =>
    index === 0 ? -128 * step : index === 1 ? 127 * step : (256 * random.next() - 128.5) * step,
  ).map((value) => Math.max(-128 * step, Math.min(127 * step, value)));
  return { values, parameters: { scale: step, zeroPoint: 128 } };
}

/**
 * Whole numbers that are 0 or 255 once 100 is added: the largest products there are, and no rounding anywhere. The scale
 * is 1.
 */
export function extremeActivations(count: number, random: Random): Activations {
  const values = Float32Array.from({ length: count }, (_, index) =>
    index === 0 || (index > 1 && random.next() < 0.3) ? -100 : 155,
  );
  return { values, parameters: { scale: 1, zeroPoint: 100 } };
}
