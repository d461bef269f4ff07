const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The number that an IEEE 754 binary16 bit pattern stands for. */
export function float16ToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The nearest binary16 bit pattern; ties to even, overflow to infinity. */
export function numberToFloat16(value: number): number {
  float[0] = value;
  const x = bits[0] as number;
  const sign = (x >>> 16) & 0x8000;
  const magnitude = x & 0x7fffffff;
  if (magnitude >= 0x7f800000) return sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00);
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) return sign | subnormal(magnitude);
  return sign | (((magnitude + 0xc8000fff + ((magnitude >>> 13) & 1)) >>> 0) >>> 13);
}

/** Adding one half moves the fraction to the lowest mantissa bits, rounded by the hardware. */
function subnormal(magnitude: number): number {
  bits[0] = magnitude;
  float[0] = (float[0] as number) + 0.5;
  return (bits[0] as number) - 0x3f000000;
}
