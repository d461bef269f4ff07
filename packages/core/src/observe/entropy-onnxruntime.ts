import type { Range } from './calibration-method.ts';
import type { EntropyOptions } from './entropy.ts';
import { linearBins, spansOf } from './histogram.ts';
import type { TensorObservation } from './observation.ts';

/** Counts in bins of equal width over [-threshold, threshold]. */
export interface LinearHistogram {
  readonly counts: readonly number[];
  /** One more than counts. */
  readonly edges: readonly number[];
}

/**
 * As ONNX Runtime's Python tool chooses a range: windows around the middle bin; levels are whole numbers of bins, what is
 * left over goes to the last level and its bins stay empty in Q; Q is cut to whole numbers; both are smoothed. Its default
 * of 128 bins for 128 levels has a single candidate, the whole range.
 * @source onnxruntime/python/tools/quantization/calibrate.py HistogramCollector.get_entropy_threshold (behaviour)
 */
export function entropyRangeOnnxRuntime(observation: TensorObservation, options: EntropyOptions): Range {
  const { min, max } = observation;
  const threshold = Math.max(-min, max);
  if (threshold === 0) return { min: 0, max: 0 };
  const { bins } = options;
  const counts = Array.from(linearBins(spansOf(observation), -threshold, threshold, bins), Math.round);
  const edges = Array.from({ length: bins + 1 }, (_, index) => -threshold + (2 * threshold * index) / bins);
  const range = entropyThresholdOnnxRuntime({ counts, edges }, options.quantizedBins);
  return { min: Math.max(range.min, min), max: Math.min(range.max, max) };
}

/** The window of least divergence, as edges of the histogram; not yet clipped to what was seen. */
export function entropyThresholdOnnxRuntime({ counts, edges }: LinearHistogram, levels: number): Range {
  const middle = Math.floor(counts.length / 2);
  let best = { min: 0, max: 0, divergence: Number.POSITIVE_INFINITY };
  for (let half = Math.floor(levels / 2); half <= middle; half++) {
    const [from, to] = [middle - half, Math.min(counts.length, middle + half + 1)];
    const divergence = divergenceOf(counts, from, to, levels);
    if (divergence < best.divergence) best = { min: edges[from] as number, max: edges[to] as number, divergence };
  }
  return { min: best.min, max: best.max };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function divergenceOf(counts: readonly number[], from: number, to: number, levels: number): number {
  const inside = counts.slice(from, to);
  const p = [...inside];
  p[0] = (p[0] as number) + sum(counts.slice(0, from));
  p[p.length - 1] = (p.at(-1) as number) + sum(counts.slice(to));
  const [smoothP, smoothQ] = [smoothed(p), smoothed(leveled(inside, p, levels))];
  return smoothP && smoothQ ? relativeEntropy(smoothP, smoothQ) : Number.POSITIVE_INFINITY;
}

/** What is left of the counts at so many levels. */
function leveled(inside: readonly number[], p: readonly number[], levels: number): number[] {
  const width = Math.floor(inside.length / levels);
  const q = new Array<number>(inside.length).fill(0);
  for (let level = 0; level < levels; level++) {
    const [from, to] = [level * width, (level + 1) * width];
    const rest = level === levels - 1 ? sum(inside.slice(to)) : 0;
    const filled = p.slice(from, to).filter((count) => count !== 0).length;
    if (filled > 0) q.fill(Math.trunc((sum(inside.slice(from, to)) + rest) / filled), from, to);
  }
  return q;
}

const epsilon = 1e-4;

/** Moves a little from what is filled to what is empty; in float32, as numpy does it. */
function smoothed(counts: readonly number[]): number[] | undefined {
  const empty = counts.filter((count) => count === 0).length;
  const filled = counts.length - empty;
  if (filled === 0) return undefined;
  const taken = (epsilon * empty) / filled;
  return counts.map((count) => Math.fround(count === 0 ? epsilon : count - taken));
}

/**
 * Σ p·ln(p/q), both normalized, in float32 and summed as numpy sums: windows differ by less than float32 can tell, and
 * which of them is least is decided by rounding.
 * @source scipy.stats.entropy; numpy pairwise summation
 */
function relativeEntropy(p: readonly number[], q: readonly number[]): number {
  const [totalP, totalQ] = [pairwiseSum(p, 0, p.length), pairwiseSum(q, 0, q.length)];
  const terms = p.map((value, index) => {
    const [a, b] = [Math.fround(value / totalP), Math.fround((q[index] as number) / totalQ)];
    return Math.fround(a * Math.log(a / b));
  });
  return pairwiseSum(terms, 0, terms.length);
}

/** In float32: eight partial sums over blocks of up to 128 numbers, halves of what is longer. */
function pairwiseSum(values: readonly number[], from: number, count: number): number {
  if (count > 128) {
    const half = (count >> 1) - ((count >> 1) % 8);
    return Math.fround(pairwiseSum(values, from, half) + pairwiseSum(values, from + half, count - half));
  }
  if (count < 8) return addUp(0, values.slice(from, from + count));
  const whole = count - (count % 8);
  const partial = Array.from({ length: 8 }, (_, lane) => {
    const own: number[] = [];
    for (let index = lane; index < whole; index += 8) own.push(values[from + index] as number);
    return addUp(own[0] as number, own.slice(1));
  });
  const pair = (at: number): number => Math.fround((partial[at] as number) + (partial[at + 1] as number));
  const [left, right] = [Math.fround(pair(0) + pair(2)), Math.fround(pair(4) + pair(6))];
  return addUp(Math.fround(left + right), values.slice(from + whole, from + count));
}

const addUp = (start: number, values: readonly number[]): number =>
  values.reduce((total, value) => Math.fround(total + value), start);
