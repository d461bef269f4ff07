import { dequantize, quantizeWeight, throughUint8, type WeightGrid } from './emulate-product.ts';
import { type Matrix, multiply, squaredDistance, squaredNorm } from './matrix.ts';
import type { ChannelRanges } from './observed.ts';

/** Products that read the same tensor, as far as choosing their factors is concerned. */
export interface SmoothingProblem {
  /** Sampled rows of the tensor, by which errors are measured. */
  readonly rows: Matrix;
  /** Range of each channel as the quantizer of the activation will see it. */
  readonly quantized: ChannelRanges;
  /** Largest magnitude of each channel of the activation, [inputs]. */
  readonly activationMax: ArrayLike<number>;
  /** Largest magnitude that each channel meets in all weights, [inputs]. */
  readonly weightMax: ArrayLike<number>;
  /** Sampled columns of each weight, [inputs, columns]. */
  readonly weights: readonly Matrix[];
  readonly grid: WeightGrid;
}

export interface Smoothing {
  readonly alpha: number;
  /** The activation is divided by them and the weights are multiplied with them. */
  readonly scales: Float64Array;
  /** Relative error of the products without and with them. */
  readonly errorBefore: number;
  readonly errorAfter: number;
}

const alphas = Array.from({ length: 19 }, (_, step) => (step + 1) / 20);

/**
 * Searches the migration strength alpha by the error that integer kernels make on the sampled rows.
 * O(alphas · rows · inputs · columns).
 */
export function chooseSmoothing(problem: SmoothingProblem): Smoothing {
  const exact = problem.weights.map((weight) => multiply(problem.rows, weight));
  const neutral = new Float64Array(problem.rows.columns).fill(1);
  const errorBefore = errorWith(neutral, problem, exact);
  let best: Smoothing = { alpha: 0, scales: neutral, errorBefore, errorAfter: errorBefore };
  for (const alpha of alphas) {
    const scales = smoothingScales(problem, alpha);
    const errorAfter = errorWith(scales, problem, exact);
    if (errorAfter < best.errorAfter) best = { alpha, scales, errorBefore, errorAfter };
  }
  return best;
}

/** No channel is moved by more than this against the mean of all. */
const largestScale = 2 ** 12;

/**
 * s_j = max|X_j|^α / max|W_j|^(1-α), divided by its geometric mean, which no quantizer sees. Channels that are dead on
 * either side keep 1.
 * @source Xiao et al. 2022, SmoothQuant, arXiv 2211.10438, equation 4
 */
export function smoothingScales(
  { activationMax, weightMax }: Pick<SmoothingProblem, 'activationMax' | 'weightMax'>,
  alpha: number,
): Float64Array {
  const logs = Float64Array.from(activationMax, (most, channel) => {
    const weight = weightMax[channel] as number;
    return most > 0 && weight > 0 ? alpha * Math.log(most) - (1 - alpha) * Math.log(weight) : Number.NaN;
  });
  const live = logs.filter((log) => !Number.isNaN(log));
  const mean = live.reduce((sum, log) => sum + log, 0) / live.length;
  const most = Math.log(largestScale);
  return logs.map((log) => (Number.isNaN(log) ? 1 : Math.exp(Math.max(-most, Math.min(most, log - mean)))));
}

/** Infinity for factors with which a number would leave float32. */
function errorWith(scales: Float64Array, problem: SmoothingProblem, exact: readonly Matrix[]): number {
  if (!staysFinite(scales, problem)) return Number.POSITIVE_INFINITY;
  const rows = throughUint8(divideColumns(problem.rows, scales), ...rangeOf(problem.quantized, scales));
  let distance = 0;
  let norm = 0;
  for (const [index, weight] of problem.weights.entries()) {
    const product = exact[index] as Matrix;
    const quantized = dequantize(quantizeWeight(multiplyRows(weight, scales), problem.grid));
    distance += squaredDistance(multiply(rows, quantized), product);
    norm += squaredNorm(product);
  }
  return norm > 0 ? Math.sqrt(distance / norm) : 0;
}

const staysFinite = (scales: Float64Array, { activationMax, weightMax }: SmoothingProblem): boolean =>
  scales.every(
    (scale, channel) =>
      Number.isFinite(Math.fround((activationMax[channel] as number) / scale)) &&
      Number.isFinite(Math.fround((weightMax[channel] as number) * scale)),
  );

function rangeOf({ min, max }: ChannelRanges, scales: Float64Array): [number, number] {
  const least = min.reduce((most, value, channel) => Math.min(most, value / (scales[channel] as number)), 0);
  const greatest = max.reduce((most, value, channel) => Math.max(most, value / (scales[channel] as number)), 0);
  return [least, greatest];
}

const divideColumns = ({ rows, columns, values }: Matrix, scales: Float64Array): Matrix => ({
  rows,
  columns,
  values: values.map((value, index) => value / (scales[index % columns] as number)),
});

const multiplyRows = ({ rows, columns, values }: Matrix, scales: Float64Array): Matrix => ({
  rows,
  columns,
  values: values.map((value, index) => value * (scales[Math.floor(index / columns)] as number)),
});
