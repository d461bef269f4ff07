import type { TensorObservation } from '@optimum/core';

/** An observation as it crosses: its numbers are typed arrays. */
export type CrossedObservation = Omit<TensorObservation, 'histogram' | 'channels'> & {
  readonly histogram?: { readonly bins: Uint16Array; readonly counts: Float64Array };
  readonly channels?: { readonly axis: number; readonly min: Float32Array; readonly max: Float32Array };
};

/** Lists are made by `Array.from`: a spread leaves twice the memory behind, at each save of a long calibration. */
export const observationOf = ({ histogram, channels, ...range }: CrossedObservation): TensorObservation => ({
  ...range,
  ...(histogram && { histogram: { bins: Array.from(histogram.bins), counts: Array.from(histogram.counts) } }),
  ...(channels && {
    channels: { axis: channels.axis, min: Array.from(channels.min), max: Array.from(channels.max) },
  }),
});
