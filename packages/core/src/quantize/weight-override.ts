import type { Tensor } from '../ir/index.ts';

/** A weight whose integers were chosen by an algorithm (AdaRound): it is stored as they are, on their scales. */
export interface RoundedWeight {
  /** As the stored tensor lies: [rows, columns], or filters [O, C/g, …] as [O, rest]. */
  readonly values: Int8Array;
  /** One for each row or column, as the scheme says. */
  readonly scales: Float32Array;
  readonly scalesAlong: 'rows' | 'columns';
}

/** By the float tensor that they stand for. */
export type WeightOverrides = ReadonlyMap<Tensor, RoundedWeight>;
