import type { Range } from './calibration-method.ts';
import { momentsOf, spansOf } from './histogram.ts';
import type { TensorObservation } from './observation.ts';

/** Mean ± so many standard deviations; values of a bin are taken to be spread evenly over it. */
export function meanSigmaRange(observation: TensorObservation, sigmas: number): Range {
  const { mean, variance } = momentsOf(spansOf(observation));
  const reach = sigmas * Math.sqrt(variance);
  return { min: mean - reach, max: mean + reach };
}
