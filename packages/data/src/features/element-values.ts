import { type ElementType, float16ToNumber, numberToFloat16, type TensorData } from '@optimum/core';

/** Smallest and largest whole numbers of the integer types. */
export const integerRanges: Partial<Record<ElementType, readonly [bigint, bigint]>> = {
  int8: [-128n, 127n],
  uint8: [0n, 255n],
  bool: [0n, 1n],
  int16: [-32768n, 32767n],
  uint16: [0n, 65535n],
  int32: [-(1n << 31n), (1n << 31n) - 1n],
  uint32: [0n, (1n << 32n) - 1n],
  int64: [-(1n << 63n), (1n << 63n) - 1n],
  uint64: [0n, (1n << 64n) - 1n],
};

export const isIntegerType = (elementType: ElementType): boolean => elementType in integerRanges;
export const isFloatType = (elementType: ElementType): boolean => /^float(16|32|64)$/.test(elementType);

export type Values = ArrayLike<number> | ArrayLike<bigint>;

const arrays = {
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

/** Values in raw layout: whole numbers in range for integer types, any for floats, which are rounded to nearest. */
export function bytesOfValues(values: Values, elementType: ElementType): Uint8Array {
  if (elementType === 'int64') return bytesOf(BigInt64Array.from(values as ArrayLike<number>, BigInt));
  if (elementType === 'uint64') return bytesOf(BigUint64Array.from(values as ArrayLike<number>, BigInt));
  if (elementType === 'float16') return bytesOf(Uint16Array.from(values as ArrayLike<number>, numberToFloat16));
  const array = new arrays[elementType as keyof typeof arrays](values.length);
  for (let index = 0; index < values.length; index++) array[index] = Number(values[index]);
  return bytesOf(array);
}

/** Values of an integer or float tensor in their order: bigints for 64-bit integers, else numbers. */
export function valuesOf({ elementType, bytes }: TensorData): Values {
  // A copy, since typed arrays want aligned bytes.
  const { buffer } = bytes.slice();
  if (elementType === 'int64') return new BigInt64Array(buffer);
  if (elementType === 'uint64') return new BigUint64Array(buffer);
  if (elementType === 'float16') return Float32Array.from(new Uint16Array(buffer), float16ToNumber);
  return new arrays[elementType as keyof typeof arrays](buffer);
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
