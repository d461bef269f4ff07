/** The place inside of 0 … length − 1 that a place from 0 on is a mirror image of; the last one is not repeated. */
export function mirror(place: number, length: number): number {
  if (place < length) return place;
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const within = place % period;
  return within < length ? within : period - within;
}
