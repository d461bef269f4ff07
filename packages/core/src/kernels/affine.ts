/**
 * Scales and zero points with the arithmetic of ONNX Runtime's Python quantizer, so that results agree bit for bit.
 * @source onnxruntime/python/tools/quantization/quant_utils.py compute_scale_zp; research: performance.md 4.4
 */
export interface AffineParameters {
  /** float32, finite, positive and normal. */
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Smallest float32 with all its digits. */
export const smallestNormal = 1.1754943508222875e-38;

/** A scale below the smallest normal float would divide into infinity; such data is zero for all purposes. */
const usable = (scale: number): boolean => scale >= smallestNormal && Number.isFinite(scale);

/**
 * Scale of symmetric int8 on [-127, 127] (or [-64, 64] reduced): f32(2·max / 254), in float64 before the cast.
 * 1 for a range of zero.
 */
export function symmetricScale(absMax: number, range: 'full' | 'reduced' = 'full'): number {
  const scale = (2 * absMax) / (range === 'full' ? 254 : 128);
  return usable(scale) ? Math.fround(scale) : 1;
}

/**
 * Asymmetric uint8 on [0, 255]; the range is made to include zero and its width is taken in float32, the zero point
 * from the scale before its cast.
 */
export function asymmetricUint8(min: number, max: number): AffineParameters {
  const low = Math.min(min, 0);
  const high = Math.max(max, 0);
  const scale = Math.fround(high - low) / 255;
  if (!usable(scale)) return { scale: 1, zeroPoint: 0 };
  return { scale: Math.fround(scale), zeroPoint: roundHalfEven((0 - low) / scale) };
}

export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/**
 * Column scale with which no pair of weights along K can saturate 16-bit sums of unsigned activations: the range must
 * fit 127, and each pair's positive and negative parts must sum to 128 at most.
 * @source research: avx2.md sections 2 and 3
 */
export function pairAwareScale(absMax: number, pairMax: number): number {
  const scale = Math.max((2 * absMax) / 254, pairMax / 128);
  return usable(scale) ? Math.fround(scale) : 1;
}

/** What a scale is multiplied by when rounding still let a pair through; it rarely takes more than a few steps. */
export const pairRaise = 1.002;
