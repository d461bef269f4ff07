import type { TensorObservation } from '@optimum/core';

/** An observation as it crosses: its numbers are typed arrays. */
export type CrossedObservation = Omit<TensorObservation, 'histogram' | 'channels'> & {
  readonly histogram?: { readonly bins: Uint16Array; readonly counts: Float64Array };
  readonly channels?: { readonly axis: number; readonly min: Float32Array; readonly max: Float32Array };
};

export const observationOf = ({ histogram, channels, ...range }: CrossedObservation): TensorObservation => ({
  ...range,
  ...(histogram && { histogram: { bins: [...histogram.bins], counts: [...histogram.counts] } }),
  ...(channels && { channels: { axis: channels.axis, min: [...channels.min], max: [...channels.max] } }),
});
