import { roundHalfEven, smallestNormal } from '../kernels/index.ts';
import type { Emit, WeightTask } from './weight-task.ts';

/**
 * A bias that is added to 32-bit sums of products: as integers on the grid of the products, with zero point 0.
 * Plain data, for another thread.
 */
export interface BiasTask {
  /** One for each output channel. */
  readonly values: Float32Array;
  /** Scale of the activation that meets the weight. */
  readonly activationScale: number;
}

/** Index of the first part behind those of the weight; each bias has two. */
const firstPart = 3;

export const biasParts = (index: number): { readonly values: number; readonly scale: number } => ({
  values: firstPart + 2 * index,
  scale: firstPart + 2 * index + 1,
});

const mostSteps = 2 ** 31 - 1;
const margin = 1.0001;
/** Largest product of an unsigned activation and a weight. */
const largestProduct = 255 * 127;
/** A bias on weights that are all zero: enough digits, and exact in float32. */
const stepsWithoutWeights = 2 ** 22;

/**
 * Raises scales with which a bias would not fit 32 bits together with the products that are added to it, or whose product
 * with the activation's scale would be no normal float32. (The reference leaves no room for the products.) Weights that are all zero take the scale that suits the bias. Only for symmetric weights: the zero point of
 * others depends on the scale.
 * @param scales in place, those of the block that starts at scale `start`
 * @param ranges largest magnitude of the weights of each scale
 * @source onnxruntime/python/tools/quantization/base_quantizer.py adjust_weight_scale_for_int32_bias
 */
export function raiseForBiases(task: WeightTask, scales: Float32Array, ranges: Float32Array, start: number): void {
  const { alpha, columnsPerScale = 1, biases = [] } = task;
  for (const bias of biases) {
    for (let index = 0; index < scales.length; index++) {
      const largest = largestMagnitude(task, bias, start + Math.floor(index / columnsPerScale));
      const factor = bias.activationScale * alpha;
      // The scale itself has to be a normal float32 too, and so has its product with alpha.
      const normal = (margin * smallestNormal) / Math.min(1, alpha, factor);
      const least = Math.max(leastBiasScale(largest, task, bias) / factor, normal);
      const isIdle = ranges[index] === 0 && largest > 0;
      const wanted = isIdle ? Math.max(least, largest / stepsWithoutWeights / factor) : least;
      // A weight of zeros starts from scale 1, which says nothing.
      const before = scales[index] as number;
      if (before < wanted || (isIdle && before === 1)) scales[index] = Math.min(wanted, 1e38);
    }
  }
}

/** In float32 by channel and in float64 otherwise, as the reference happens to compute it. */
function leastBiasScale(largest: number, task: WeightTask, { values }: BiasTask): number {
  const { rows, columns, scales, columnsPerScale = 1 } = task;
  const isTensor = scales === 'tensor';
  const reach = isTensor ? margin * 2 * largest : Math.fround(Math.fround(margin) * 2 * largest);
  const outputs = isTensor ? values.length : scales === 'rows' ? rows : columns / columnsPerScale;
  const products = ((rows * columns) / outputs) * largestProduct;
  return Math.max(reach / (2 * mostSteps), largest / Math.max(mostSteps / 2, mostSteps - products));
}

/** Of the channel of a scale, or of all channels where one scale serves them all. */
function largestMagnitude({ scales }: WeightTask, { values }: BiasTask, channel: number): number {
  if (scales !== 'tensor') return Math.abs(values[channel] as number);
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** Emits the biases of the channels whose scales are given. */
export function emitBiases(task: WeightTask, scales: Float32Array, start: number, emit: Emit): void {
  task.biases?.forEach((bias, index) => {
    const parts = biasParts(index);
    const end = task.scales === 'tensor' ? bias.values.length : start + scales.length;
    const biasScales = scales.map((scale) => scale * bias.activationScale);
    const integers = integerBias(bias.values.subarray(start, end), biasScales);
    emit(parts.values, start * 4, new Uint8Array(integers.buffer));
    emit(parts.scale, start * 4, new Uint8Array(biasScales.buffer));
  });
}

/** clip(round(b / scale)) in float64; one scale for all, or one for each. */
export function integerBias(values: Float32Array, scales: Float32Array): Int32Array {
  return Int32Array.from(values, (value, index) => {
    const steps = roundHalfEven(value / (scales.length === 1 ? (scales[0] as number) : (scales[index] as number)));
    return Math.min(mostSteps, Math.max(-mostSteps - 1, steps));
  });
}
