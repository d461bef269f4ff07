/** What is wanted of one tensor. Several algorithms may ask; requests for the same tensor are merged and collected once. */
export interface ObservationRequest {
  /** Name of the tensor: see `valueIds`. */
  readonly tensor: string;
  /** `range`: least and greatest value only, which the runtime can reduce inside the graph. */
  readonly detail: 'range' | 'histogram';
  /** Ranges along this axis too. */
  readonly channelAxis?: number;
  /** Keep so many rows (slices along the last axis), chosen by a hash of sample and row, whatever the order of samples. */
  readonly rows?: number;
  /** Observe the tensor divided by these numbers along its last axis: what it will be once it is smoothed. */
  readonly divisor?: readonly number[];
}
