/** Numbers of samples as ascending ranges [from, to) that do not touch: see `DataShard`. */
export type SampleRanges = readonly (readonly [number, number])[];

/** True when a sample is in one of the ranges. */
export const hasSample = (ranges: SampleRanges, sample: number): boolean =>
  ranges.some(([from, to]) => from <= sample && sample < to);

/** The ranges with one more sample. */
export function withSample(ranges: SampleRanges, sample: number): SampleRanges {
  if (hasSample(ranges, sample)) return ranges;
  const before = ranges.filter(([, to]) => to <= sample);
  const after = ranges.filter(([from]) => from > sample);
  // Neighbours that the sample touches become one range with it.
  const left = before.at(-1)?.[1] === sample ? before.pop() : undefined;
  const right = after[0]?.[0] === sample + 1 ? after.shift() : undefined;
  return [...before, [left?.[0] ?? sample, right?.[1] ?? sample + 1], ...after];
}

export const countSamples = (ranges: SampleRanges): number => ranges.reduce((sum, [from, to]) => sum + to - from, 0);
