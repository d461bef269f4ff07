import { OptimumError, quote } from '../foundation/index.ts';
import { addHistograms } from './histogram.ts';
import type { ChannelObservation, TensorObservation } from './observation.ts';

/**
 * Two observations of the same tensor as one: associative and commutative, bit for bit. Channels are left out where they
 * were not the same in all runs.
 * @param tensor for the message
 * @throws E_STATISTICS_MISMATCH when they were not asked the same
 */
export function mergeObservations(a: TensorObservation, b: TensorObservation, tensor?: string): TensorObservation {
  if (!a.histogram !== !b.histogram) throw different(tensor);
  const [low, high] = extremes(a, b);
  const channels = mergeChannels(a, b);
  return {
    runs: a.runs + b.runs,
    elements: a.elements + b.elements,
    min: low,
    max: high,
    minSum: String(BigInt(a.minSum) + BigInt(b.minSum)),
    maxSum: String(BigInt(a.maxSum) + BigInt(b.maxSum)),
    excluded: {
      nan: a.excluded.nan + b.excluded.nan,
      infinite: a.excluded.infinite + b.excluded.infinite,
      sentinel: a.excluded.sentinel + b.excluded.sentinel,
    },
    ...(a.histogram && b.histogram && { histogram: addHistograms(a.histogram, b.histogram) }),
    ...(channels && { channels }),
  };
}

/** An observation without a value has no extremes. */
function extremes(a: TensorObservation, b: TensorObservation): readonly [number, number] {
  if (a.elements === 0) return [b.min, b.max];
  if (b.elements === 0) return [a.min, a.max];
  return [Math.min(a.min, b.min), Math.max(a.max, b.max)];
}

/** None when one of them has none though it saw values: its channels were not always the same. */
function mergeChannels(one: TensorObservation, other: TensorObservation): ChannelObservation | undefined {
  if (one.elements === 0) return other.channels;
  if (other.elements === 0) return one.channels;
  const [a, b] = [one.channels, other.channels];
  if (!a || !b || a.axis !== b.axis || a.min.length !== b.min.length) return undefined;
  return {
    axis: a.axis,
    min: a.min.map((value, index) => Math.min(value, b.min[index] as number)),
    max: a.max.map((value, index) => Math.max(value, b.max[index] as number)),
  };
}

const different = (tensor: string | undefined): OptimumError =>
  new OptimumError(
    'E_STATISTICS_MISMATCH',
    `Two observations of ${tensor === undefined ? 'a tensor' : quote(tensor)} do not go together: one has a histogram, the other has none.`,
    { hint: 'Make both with the same method and the same version.', context: { tensor } },
  );
