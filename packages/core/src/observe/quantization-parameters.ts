import { roundHalfEven, smallestNormal } from '../kernels/index.ts';
import type { ActivationScheme } from './activation-scheme.ts';
import type { Range } from './calibration-method.ts';

/** real = (quantized - zeroPoint) · scale. */
export interface QuantizationParameters {
  /** float32, finite, positive and normal. */
  readonly scale: number;
  readonly zeroPoint: number;
}

interface Limits {
  readonly min: number;
  readonly max: number;
}

const limits: Readonly<Record<ActivationScheme['elementType'], Limits>> = {
  uint8: { min: 0, max: 255 },
  int8: { min: -128, max: 127 },
  uint16: { min: 0, max: 65_535 },
  int16: { min: -32_768, max: 32_767 },
  uint4: { min: 0, max: 15 },
  int4: { min: -8, max: 7 },
};

/** Signed 8 and 16-bit types leave out their least value when symmetric, so that both sides have as many levels. */
const symmetricLimits: Partial<Readonly<Record<ActivationScheme['elementType'], Limits>>> = {
  int8: { min: -127, max: 127 },
  int16: { min: -32_767, max: 32_767 },
};

/** How many numbers a type can tell apart. */
export const levelsOf = (elementType: ActivationScheme['elementType']): number =>
  limits[elementType].max - limits[elementType].min + 1;

export const limitsOf = (elementType: ActivationScheme['elementType']): Limits => limits[elementType];

/**
 * Scale and zero point of a range, which is made to include zero. The range is taken in float32 and divided in float64;
 * the zero point comes from the scale before its cast to float32. A range too small for a normal scale becomes scale 1.
 * @source onnxruntime/python/tools/quantization/quant_utils.py compute_scale_zp (1.30: the zero point of symmetric
 * unsigned types is the upper middle, 128; 1.23 had 127); research: algorithms.md section 8.2
 */
export function quantizationParameters(
  range: Range,
  { elementType, symmetric }: ActivationScheme,
): QuantizationParameters {
  const low = Math.fround(Math.max(-largestRange, Math.min(range.min, 0)));
  const high = Math.fround(Math.min(largestRange, Math.max(range.max, 0)));
  const { min, max } = (symmetric && symmetricLimits[elementType]) || limits[elementType];
  const width = symmetric ? 2 * Math.max(-low, high) : Math.fround(high - low);
  const scale = width / (max - min);
  if (!(scale >= smallestNormal)) return { scale: 1, zeroPoint: 0 };
  const zeroPoint = symmetric ? Math.floor((min + max + 1) / 2) : roundHalfEven(min - low / scale);
  return { scale: Math.fround(scale), zeroPoint: Math.min(max, Math.max(min, zeroPoint)) };
}

/** Half of the largest float32: the width of a range stays finite. */
const largestRange = 1.7e38;
