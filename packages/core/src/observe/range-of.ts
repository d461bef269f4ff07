import { OptimumError } from '../foundation/index.ts';
import type { ActivationScheme } from './activation-scheme.ts';
import type { CalibrationMethod, Range } from './calibration-method.ts';
import { entropyRange } from './entropy.ts';
import { entropyRangeOnnxRuntime } from './entropy-onnxruntime.ts';
import { meanOfUnits } from './exact-sum.ts';
import { meanSigmaRange } from './mean-sigma.ts';
import { mseRange } from './mse.ts';
import type { TensorObservation } from './observation.ts';
import { percentileRange } from './percentile.ts';
import type { ObservationRequest } from './request.ts';

/** How much of a tensor a method needs to see. */
export const detailOf = ({ id }: CalibrationMethod): ObservationRequest['detail'] =>
  id === 'min-max' || id === 'moving-average' ? 'range' : 'histogram';

/**
 * The range that a method chooses, inside what was seen. A symmetric scheme mirrors the wider side when its parameters
 * are made. An end on the far side of zero clips nothing, because scales reach to zero: it stays where values end.
 * @throws E_NUMERIC_RANGE when no value was seen; E_STATISTICS_INVALID when the method needs a histogram and there is none
 */
export function rangeOf(observation: TensorObservation, method: CalibrationMethod, scheme: ActivationScheme): Range {
  const { min, max, elements } = observation;
  if (elements === 0) throw new OptimumError('E_NUMERIC_RANGE', 'A tensor that never showed a value has no range.');
  if (detailOf(method) === 'histogram' && !observation.histogram) throw noHistogram(method);
  const chosen = choose(observation, method, scheme);
  return {
    min: min >= 0 ? min : Math.max(min, Math.min(chosen.min, max)),
    max: max <= 0 ? max : Math.min(max, Math.max(chosen.max, min)),
  };
}

function choose(observation: TensorObservation, method: CalibrationMethod, scheme: ActivationScheme): Range {
  const { min, max, runs, minSum, maxSum } = observation;
  switch (method.id) {
    case 'min-max':
      return { min, max };
    case 'moving-average':
      return { min: meanOfUnits(minSum, runs), max: meanOfUnits(maxSum, runs) };
    case 'percentile':
      return percentileRange(observation, scheme, method.percentile);
    case 'entropy':
      return entropyRange(observation, scheme, method);
    case 'entropy-onnxruntime':
      return entropyRangeOnnxRuntime(observation, method);
    case 'mse':
      return mseRange(observation, scheme);
    case 'mean-sigma':
      return meanSigmaRange(observation, method.sigmas);
  }
}

const noHistogram = ({ id }: CalibrationMethod): OptimumError =>
  new OptimumError('E_STATISTICS_INVALID', `Method ${id} needs histograms, and these statistics hold ranges only.`, {
    hint: `Make them with --method ${id}, or choose min-max or moving-average.`,
  });
