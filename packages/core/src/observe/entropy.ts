import type { ActivationScheme } from './activation-scheme.ts';
import type { Range } from './calibration-method.ts';
import { countOf, linearBins, magnitudeSpansOf, type Span } from './histogram.ts';
import type { TensorObservation } from './observation.ts';

export interface EntropyOptions {
  readonly bins: number;
  readonly quantizedBins: number;
}

/**
 * The threshold on magnitudes at which the values, clipped and rounded to so many levels, tell least apart from what
 * they were: least Kullback-Leibler divergence over all thresholds that are whole numbers of bins.
 * @source Migacz, 8-bit Inference with TensorRT (GTC 2017): what lies outside is added to the last bin of P; each level
 * of Q is spread evenly over those of its bins that hold something, and Q is zero where P is. As in NVIDIA's toolkits
 * the first bin counts no more than the second, and zeros not at all: every range meets them exactly, and the many that
 * a Relu leaves would pull the threshold down to them
 */
export function entropyRange(
  observation: TensorObservation,
  { symmetric }: ActivationScheme,
  { bins, quantizedBins }: EntropyOptions,
): Range {
  const { min, max } = observation;
  const largest = Math.max(-min, max);
  if (largest === 0) return { min, max };
  // Levels on the wider side: half of those of the type, or more where an asymmetric type has less to cover on the other.
  const wider = symmetric ? 1 / 2 : largest / (Math.max(0, max) - Math.min(0, min));
  const levels = Math.min(bins, Math.round(2 * quantizedBins * wider));
  const threshold = entropyThreshold(magnitudeSpansOf(observation), largest, bins, levels);
  return { min: Math.max(min, -threshold), max: Math.min(max, threshold) };
}

/** Of values other than zero. When so many of them fall into the first bin, hardly one is told from zero. */
const crowded = 0.999;
const smallestTop = 1e-30;

function entropyThreshold(spans: readonly Span[], largest: number, bins: number, levels: number): number {
  const counted = spans.filter(({ high }) => high > 0);
  const total = countOf(counted);
  // A lone value far out leaves all others in the first bins: then those are looked at closer.
  for (let top = largest; ; top *= levels / bins) {
    const isCoarse = levels < bins && top > smallestTop;
    const counts = linearBins(counted, 0, top, bins);
    const [first = 0, second = 0] = counts;
    if (isCoarse && first > crowded * total) continue;
    const beyond = total - counts.reduce((sum, count) => sum + count, 0);
    counts[0] = Math.min(first, second);
    const kept = leastDivergence(counts, Math.max(0, beyond), levels);
    if (kept > levels || !isCoarse) return (kept / bins) * top;
  }
}

/** What a bin of Q counts as that holds nothing though values were clipped into it. */
const smoothing = 1e-4;

/**
 * Part of the values that a threshold may clip. Where most values are the same number (the background of images), a
 * threshold at that number hides all beyond it in the one bin that they share, at hardly any divergence.
 */
const mostClipped = 0.01;

/** How many of the first bins to keep, at least as many as levels; `beyond` values lie behind the last. */
export function leastDivergence(counts: Float64Array, beyond: number, levels: number): number {
  const sums = prefixSums(counts);
  const total = (sums.mass[counts.length] as number) + beyond;
  let best = { kept: counts.length, divergence: Number.POSITIVE_INFINITY };
  for (let kept = levels; kept <= counts.length; kept++) {
    const inside = sums.mass[kept] as number;
    if (inside < (1 - mostClipped) * total) continue;
    const divergence = divergenceAt(counts, sums, { kept, levels, total, inside });
    if (divergence < best.divergence) best = { kept, divergence };
  }
  return best.kept;
}

interface PrefixSums {
  /** Σ h, Σ h·ln h and the number of bins that hold something, over the first bins. */
  readonly mass: Float64Array;
  readonly entropy: Float64Array;
  readonly filled: Uint32Array;
}

function prefixSums(counts: Float64Array): PrefixSums {
  const mass = new Float64Array(counts.length + 1);
  const entropy = new Float64Array(counts.length + 1);
  const filled = new Uint32Array(counts.length + 1);
  for (let bin = 0; bin < counts.length; bin++) {
    const count = counts[bin] as number;
    mass[bin + 1] = (mass[bin] as number) + count;
    entropy[bin + 1] = (entropy[bin] as number) + xLogX(count);
    filled[bin + 1] = (filled[bin] as number) + (count > 0 ? 1 : 0);
  }
  return { mass, entropy, filled };
}

const xLogX = (x: number): number => (x > 0 ? x * Math.log(x) : 0);

interface Candidate {
  readonly kept: number;
  readonly levels: number;
  readonly total: number;
  readonly inside: number;
}

/**
 * Σ (p·ln(p/q) - p + q) / Σ p, where what is clipped is missing in Q. Where little is clipped this is the divergence of
 * P and Q, both normalized; where most is, a normalized Q would look like P.
 */
function divergenceAt(counts: Float64Array, sums: PrefixSums, { kept, levels, total, inside }: Candidate): number {
  const last = counts[kept - 1] as number;
  const clipped = total - inside;
  const ofP = (sums.entropy[kept - 1] as number) + xLogX(last + clipped);
  let ofQ = 0;
  let lastOfQ = smoothing;
  for (let level = 0; level < levels; level++) {
    const [from, to] = [Math.floor((level * kept) / levels), Math.floor(((level + 1) * kept) / levels)];
    const mass = (sums.mass[to] as number) - (sums.mass[from] as number);
    const filled = (sums.filled[to] as number) - (sums.filled[from] as number);
    if (filled === 0) continue;
    ofQ += mass * Math.log(mass / filled);
    if (level === levels - 1 && last > 0) lastOfQ = mass / filled;
  }
  return (ofP - ofQ - clipped * Math.log(lastOfQ) - clipped) / total;
}
