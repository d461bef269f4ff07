/** How a range is chosen from what was observed. Data only. */
export type CalibrationMethod =
  /** All that was seen. */
  | { readonly id: 'min-max' }
  /** Mean over runs of the least and the greatest value of each. */
  | { readonly id: 'moving-average' }
  /** Cuts off the outer part: the range holds this percentage of the values (or of the magnitudes, when symmetric). */
  | { readonly id: 'percentile'; readonly percentile: number }
  /** Threshold of least Kullback-Leibler divergence, as the method's reference defines it. */
  | { readonly id: 'entropy'; readonly bins: number; readonly quantizedBins: number }
  /** As ONNX Runtime's Python tool computes it, with its deviations. */
  | { readonly id: 'entropy-onnxruntime'; readonly bins: number; readonly quantizedBins: number }
  /** Range of least mean squared quantization error. */
  | { readonly id: 'mse' }
  /** Mean ± so many standard deviations. */
  | { readonly id: 'mean-sigma'; readonly sigmas: number };

/** Numbers between `min` and `max` are to be told apart; what lies outside is clipped. */
export interface Range {
  readonly min: number;
  readonly max: number;
}
