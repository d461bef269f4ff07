import type { Histogram, TensorObservation } from './observation.ts';

/** Values between two numbers, taken to be spread evenly over them. `low` equals `high` for a single number. */
export interface Span {
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

const words = new Uint32Array(1);
const numbers = new Float32Array(words.buffer);

/** The bin of a value: the 16 leading bits of its float32. */
export function binOf(value: number): number {
  numbers[0] = value;
  return (words[0] as number) >>> 16;
}

/** The smallest magnitude of the bins with these 15 bits. */
function magnitudeOf(bits: number): number {
  words[0] = bits << 16;
  return numbers[0] as number;
}

/**
 * The values of a bin. Those of the bins of +0 and -0 (below 2^-133) are zero for all purposes.
 * @returns ends in ascending order
 */
export function edgesOf(bin: number): { readonly low: number; readonly high: number } {
  const bits = bin & 0x7fff;
  if (bits === 0) return { low: 0, high: 0 };
  const [near, far] = [magnitudeOf(bits), magnitudeOf(bits + 1)];
  return bin >= 0x8000 ? { low: -far, high: -near } : { low: near, high: far };
}

/** What was observed as spans in ascending order of values; the outer ones end at the least and greatest value seen. */
export function spansOf({ histogram, min, max }: TensorObservation): Span[] {
  if (!histogram) return [];
  const spans = histogram.bins.map((bin, index) => {
    const count = histogram.counts[index] as number;
    const { low, high } = edgesOf(bin);
    return isZero(bin) ? { low, high, count } : { low: Math.max(low, min), high: Math.min(high, max), count };
  });
  return spans.sort((a, b) => a.low - b.low || a.high - b.high);
}

const isZero = (bin: number): boolean => (bin & 0x7fff) === 0;

/** The same for magnitudes. */
export function magnitudeSpansOf(observation: TensorObservation): Span[] {
  const mirrored = spansOf(observation).map((span) =>
    span.high <= 0 ? { ...span, low: 0 - span.high, high: 0 - span.low } : span,
  );
  return mirrored.sort((a, b) => a.low - b.low || a.high - b.high);
}

export const countOf = (spans: readonly Span[]): number => spans.reduce((sum, { count }) => sum + count, 0);

/** The number below which this share (0 to 1) of the values lies, interpolated inside a span. */
export function quantileOf(spans: readonly Span[], share: number): number {
  const wanted = share * countOf(spans);
  let below = 0;
  for (const { low, high, count } of spans) {
    if (below + count >= wanted) return low + (high - low) * Math.max(0, (wanted - below) / count);
    below += count;
  }
  return spans.at(-1)?.high ?? 0;
}

/**
 * Part of the values outside a range, 0 to 1; what lies between it and zero is not, because scales reach to zero. 0 too
 * where there is no histogram to tell it from.
 */
export function clippedShare(
  observation: TensorObservation,
  range: { readonly min: number; readonly max: number },
): number {
  const spans = spansOf(observation);
  const total = countOf(spans);
  if (total === 0) return 0;
  const [from, to] = [Math.min(0, range.min), Math.max(0, range.max)];
  const outside = spans.reduce((sum, span) => sum + span.count * (1 - shareInside(span, from, to)), 0);
  return Math.min(1, Math.max(0, outside / total));
}

function shareInside({ low, high }: Span, from: number, to: number): number {
  if (low >= from && high <= to) return 1;
  if (high < from || low > to || low === high) return 0;
  return Math.max(0, (Math.min(high, to) - Math.max(low, from)) / (high - low));
}

/**
 * Counts in `bins` bins of equal width over [from, to]; what a span holds is spread evenly over it. Values outside are
 * left out.
 */
export function linearBins(spans: readonly Span[], from: number, to: number, bins: number): Float64Array {
  const counts = new Float64Array(bins);
  const width = (to - from) / bins;
  const binAt = (value: number): number => Math.min(bins - 1, Math.max(0, Math.floor((value - from) / width)));
  for (const span of spans) {
    if (span.high < from || span.low > to) continue;
    const [first, last] = [binAt(span.low), binAt(span.high)];
    for (let bin = first; bin <= last; bin++) {
      const share =
        first === last && span.low >= from && span.high <= to
          ? 1
          : shareOverlap(span, from + bin * width, from + (bin + 1) * width);
      counts[bin] = (counts[bin] as number) + span.count * share;
    }
  }
  return counts;
}

const shareOverlap = ({ low, high }: Span, from: number, to: number): number =>
  high === low ? 1 : Math.max(0, Math.min(high, to) - Math.max(low, from)) / (high - low);

/** Mean and variance; from whole counts in a fixed order, so that the order of the values does not matter. */
export function momentsOf(spans: readonly Span[]): { readonly mean: number; readonly variance: number } {
  const total = countOf(spans);
  if (total === 0) return { mean: 0, variance: 0 };
  const centre = ({ low, high }: Span): number => (low + high) / 2;
  const mean = spans.reduce((sum, span) => sum + span.count * centre(span), 0) / total;
  const squares = spans.reduce(
    (sum, span) => sum + span.count * ((centre(span) - mean) ** 2 + (span.high - span.low) ** 2 / 12),
    0,
  );
  return { mean, variance: squares / total };
}

/** Two histograms of the same grid as one. */
export function addHistograms(a: Histogram, b: Histogram): Histogram {
  const counts = new Map<number, number>();
  for (const { bins, counts: own } of [a, b])
    bins.forEach((bin, index) => counts.set(bin, (counts.get(bin) ?? 0) + (own[index] as number)));
  const bins = [...counts.keys()].sort((x, y) => x - y);
  return { bins, counts: bins.map((bin) => counts.get(bin) as number) };
}
