import type { ActivationScheme } from './activation-scheme.ts';
import type { Range } from './calibration-method.ts';
import { magnitudeSpansOf, quantileOf, spansOf } from './histogram.ts';
import type { TensorObservation } from './observation.ts';

/** Symmetric: this percentage of the magnitudes is inside. Asymmetric: half of the rest is cut off at each end. */
export function percentileRange(
  observation: TensorObservation,
  { symmetric }: ActivationScheme,
  percentile: number,
): Range {
  const share = percentile / 100;
  if (symmetric) {
    const threshold = quantileOf(magnitudeSpansOf(observation), share);
    return { min: -threshold, max: threshold };
  }
  const spans = spansOf(observation);
  return { min: quantileOf(spans, (1 - share) / 2), max: quantileOf(spans, 1 - (1 - share) / 2) };
}
