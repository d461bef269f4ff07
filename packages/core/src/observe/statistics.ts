import type { TensorObservation } from './observation.ts';

/**
 * What observers found, for re-use, merging and inspection: a file. It says of which model and which data, so that
 * statistics of another model are never used by mistake, and the same samples never counted twice.
 */
export interface Statistics {
  readonly version: 1;
  /** By session name (`model`, `encoder_model`, …). */
  readonly sessions: Readonly<Record<string, SessionStatistics>>;
}

export interface SessionStatistics {
  /** SHA-256 of the model file and of its external data, hexadecimal. */
  readonly model: string;
  /** SHA-256 of what was asked for (the requests), hexadecimal: only statistics of the same requests add up. */
  readonly requests: string;
  readonly data: readonly DataShard[];
  /** Samples over all shards. */
  readonly samples: number;
  readonly tensors: Readonly<Record<string, TensorObservation>>;
}

/** Samples of one data set: those with these numbers, as ascending ranges [from, to). */
export interface DataShard {
  /** SHA-256 of the data set, hexadecimal. */
  readonly hash: string;
  /** For people: file name, or that inputs were made up. */
  readonly source: string;
  readonly ranges: readonly (readonly [number, number])[];
}
