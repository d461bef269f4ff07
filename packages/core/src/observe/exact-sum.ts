/** Every float32 is a whole multiple of 2^-149, so sums in that unit are exact, in whatever order. */

const words = new Uint32Array(1);
const numbers = new Float32Array(words.buffer);

/** A finite float32 in units of 2^-149. */
export function toUnits(value: number): bigint {
  numbers[0] = value;
  const bits = words[0] as number;
  const exponent = (bits >>> 23) & 0xff;
  const fraction = bits & 0x7fffff;
  const units = exponent === 0 ? BigInt(fraction) : BigInt(fraction | 0x800000) << BigInt(exponent - 1);
  return bits >>> 31 ? -units : units;
}

/** The mean of so many values whose exact sum is given as text, rounded once or twice to a number. */
export function meanOfUnits(sum: string, count: number): number {
  const units = BigInt(sum);
  // 64 bits more than asked for, then the quotient is scaled back: no digit that counts is lost.
  const quotient = (units << 64n) / BigInt(count);
  const isNegative = quotient < 0n;
  const magnitude = isNegative ? -quotient : quotient;
  const excess = Math.max(0, magnitude.toString(2).length - 64);
  const number = Number(magnitude >> BigInt(excess)) * 2 ** (excess - 149 - 64);
  return isNegative ? -number : number;
}
