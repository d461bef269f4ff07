/**
 * What was seen of one tensor over some runs: everything a calibration method needs, in memory that does not grow with
 * the number of runs. Plain JSON data. Two observations of the same tensor add up to one, bit for bit the same in
 * whatever order and however the runs were split. It holds no activations and decides nothing: methods do.
 */
export interface TensorObservation {
  /** Runs in which the tensor showed at least one value that counts. */
  readonly runs: number;
  /** Values that count: finite, and no mask sentinel. */
  readonly elements: number;
  /** Least and greatest value that counts; both 0 when there is none. */
  readonly min: number;
  readonly max: number;
  /** Exact sums over runs of the least and the greatest value of each, in units of 2^-149, as decimal text. */
  readonly minSum: string;
  readonly maxSum: string;
  readonly excluded: ExcludedValues;
  /** Absent where only the range was asked for. */
  readonly histogram?: Histogram;
  /** Absent where no channels were asked for. */
  readonly channels?: ChannelObservation;
}

/** Values that were kept out of ranges and histogram. */
export interface ExcludedValues {
  readonly nan: number;
  readonly infinite: number;
  /** Magnitudes of `sentinelMagnitude` and more: masks, not activations. */
  readonly sentinel: number;
}

/** From here on a value is taken for a mask sentinel (-3.4e38, -1e30, …). */
export const sentinelMagnitude = 1e30;

/**
 * Counts by the 16 leading bits of a float32 (sign, exponent, 7 bits of the fraction): a grid that never moves, 128 bins
 * to an octave. Only bins with a count, in ascending order of their index.
 */
export interface Histogram {
  /** `bits >>> 16` of the values that fell into each bin. */
  readonly bins: readonly number[];
  readonly counts: readonly number[];
}

/** Ranges along the channels of a tensor. */
export interface ChannelObservation {
  /** The axis that the channels run along; negative counts from the last. */
  readonly axis: number;
  readonly min: readonly number[];
  readonly max: readonly number[];
}
