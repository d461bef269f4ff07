/** Middle of the values; the mean of the two in the middle of an even number. */
export const median = (values: readonly number[]): number => quantileOf(Float64Array.from(values).sort(), 0.5);

/**
 * Quantile of sorted values, interpolated between neighbours; NaN of none.
 * @param part 0 to 1
 * @source Hyndman and Fan 1996, definition 7
 */
export function quantileOf(sorted: ArrayLike<number>, part: number): number {
  const position = (sorted.length - 1) * part;
  const below = Math.floor(position);
  const [low = Number.NaN, high = low] = [sorted[below], sorted[below + 1]];
  // Nothing is added to a value that is hit, so that infinities stay what they are.
  return position === below ? low : low + (high - low) * (position - below);
}

export const mean = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += values[index] as number;
  return sum / values.length;
};
