// Floating-point numbers by their bits: how outputs of every floating type become float32, and which of them count.

/** From this magnitude on a value is taken for a mask sentinel (see `sentinelMagnitude` of @optimum/core). */
const sentinelMagnitude = 1e30;

/** Bits of +Infinity; greater magnitudes are NaN. */
export const infinityBits = 0x7f800000;

/** Bits of the least float32 that is a sentinel: 1e30 itself rounds up. */
export const sentinelBits = new Int32Array(Float32Array.of(sentinelMagnitude).buffer)[0];

export const bitsOf = (values) => new Int32Array(values.buffer, values.byteOffset, values.length);

const scratch = new Float32Array(1);
const scratchBits = bitsOf(scratch);

/** The number with these bits; -0 becomes 0, because JSON knows no -0. */
export function numberOf(bits) {
  scratchBits[0] = bits;
  return scratch[0] + 0;
}

/** A finite float32 in units of 2^-149, of which it is a whole number. */
export function unitsOf(value) {
  scratch[0] = value;
  const bits = scratchBits[0];
  const exponent = (bits >>> 23) & 0xff;
  const fraction = bits & 0x7fffff;
  const magnitude = exponent === 0 ? BigInt(fraction) : BigInt(fraction | 0x800000) << BigInt(exponent - 1);
  return bits < 0 ? -magnitude : magnitude;
}

/** False for NaN too. */
export const counts = (value) => Math.abs(value) < sentinelMagnitude;

/** The numbers of an output as float32. `data` is as the runtime hands it out. */
export function float32Of({ type, data }) {
  switch (type) {
    case 'float32':
      return data;
    case 'float16':
      return fromFloat16(new Uint16Array(data.buffer, data.byteOffset, data.length));
    case 'float64':
      return fromFloat64(data);
    default:
      throw new Error(`a tensor of ${type} cannot be observed`);
  }
}

const largest = 2 ** 128 - 2 ** 104;

/** Finite numbers past the range of float32 stay finite: they are sentinels, not infinite. */
function fromFloat64(data) {
  const values = new Float32Array(data.length);
  for (let index = 0; index < data.length; index++) {
    const value = data[index];
    values[index] = Number.isFinite(value) ? Math.min(largest, Math.max(-largest, value)) : value;
  }
  return values;
}

let float16Table;

function fromFloat16(halves) {
  float16Table ??= Float32Array.from({ length: 65536 }, (_, bits) => float16(bits));
  const values = new Float32Array(halves.length);
  for (let index = 0; index < halves.length; index++) values[index] = float16Table[halves[index]];
  return values;
}

function float16(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}
