/** y = scale · x + shift, each one number for all channels or one for each. In float64, so that chains round once. */
export interface Affine {
  readonly scale: readonly number[];
  readonly shift: readonly number[];
}

export const identityAffine: Affine = { scale: [1], shift: [0] };

/** What `second` makes of what `first` makes of x. */
export function compose(first: Affine, second: Affine): Affine {
  return {
    scale: zip(first.scale, second.scale, (a, b) => a * b),
    shift: zip(
      zip(first.shift, second.scale, (a, b) => a * b),
      second.shift,
      (a, b) => a + b,
    ),
  };
}

/** Number by number; one number goes with all of the other's. */
export function zip(
  a: readonly number[],
  b: readonly number[],
  combine: (x: number, y: number) => number,
): readonly number[] {
  return Array.from({ length: Math.max(a.length, b.length) }, (_, channel) =>
    combine(channelOf(a, channel), channelOf(b, channel)),
  );
}

/** The number of a channel. */
export const channelOf = (numbers: readonly number[], channel: number): number =>
  numbers[numbers.length === 1 ? 0 : channel] as number;

export const isAll = (numbers: readonly number[], wanted: number): boolean =>
  numbers.every((number) => number === wanted);

/** True when float32 holds every number. */
export const isFiniteAffine = ({ scale, shift }: Affine): boolean =>
  [...scale, ...shift].every((number) => Number.isFinite(Math.fround(number)));
