import { type ElementType, numberToFloat16, type TensorData } from '@optimum/core';

/** Smallest and largest whole numbers of the integer types. */
const ranges: Partial<Record<ElementType, readonly [bigint, bigint]>> = {
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

const integerArrays = {
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
} as const;

/**
 * A tensor from nested lists (or one number), as they stand in JSON. Whole numbers past 2^53 may be written as text.
 * Returns what is wrong with them as text instead.
 */
export function packTensor(value: unknown, elementType: ElementType): TensorData | string {
  const dims: number[] = [];
  for (let level = value; Array.isArray(level); level = level[0] as unknown) dims.push(level.length);
  const items: unknown[] = [];
  if (!collect(value, dims, 0, items)) return 'is ragged: its lists differ in length';
  if (elementType === 'string') return packStrings(items, dims);
  if (elementType in ranges) return packIntegers(items, dims, elementType);
  return packFloats(items, dims, elementType);
}

/** Puts the items of nested lists in order; false where a list is not as long as its neighbours. */
function collect(value: unknown, dims: readonly number[], depth: number, items: unknown[]): boolean {
  if (depth === dims.length) {
    items.push(value);
    return !Array.isArray(value);
  }
  if (!Array.isArray(value) || value.length !== dims[depth]) return false;
  return value.every((item) => collect(item, dims, depth + 1, items));
}

function packStrings(items: readonly unknown[], dims: readonly number[]): TensorData | string {
  if (!items.every((item) => typeof item === 'string')) return `holds ${shownBad(items, 'string')}, expected text`;
  return { elementType: 'string', dims, bytes: new Uint8Array(), strings: items };
}

function packIntegers(
  items: readonly unknown[],
  dims: readonly number[],
  elementType: ElementType,
): TensorData | string {
  const [lowest, highest] = ranges[elementType] as readonly [bigint, bigint];
  const numbers: bigint[] = [];
  for (const item of items) {
    const number = toInteger(item);
    if (number === undefined || number < lowest || number > highest)
      return `holds ${JSON.stringify(item)}, expected ${elementType} (${lowest} to ${highest}; past 2^53 as text)`;
    numbers.push(number);
  }
  if (elementType === 'int64') return made(elementType, dims, BigInt64Array.from(numbers));
  if (elementType === 'uint64') return made(elementType, dims, BigUint64Array.from(numbers));
  const ArrayType = integerArrays[elementType as keyof typeof integerArrays];
  return made(elementType, dims, ArrayType.from(numbers.map(Number)));
}

function toInteger(item: unknown): bigint | undefined {
  if (typeof item === 'boolean') return item ? 1n : 0n;
  if (typeof item === 'number') return Number.isSafeInteger(item) ? BigInt(item) : undefined;
  return typeof item === 'string' && /^-?\d{1,20}$/.test(item) ? BigInt(item) : undefined;
}

function packFloats(items: readonly unknown[], dims: readonly number[], elementType: ElementType): TensorData | string {
  const isNumber = (item: unknown): item is number => typeof item === 'number' && Number.isFinite(item);
  if (!items.every(isNumber)) return `holds ${shownBad(items, 'number')}, expected finite numbers`;
  if (elementType === 'float32') return made(elementType, dims, Float32Array.from(items));
  if (elementType === 'float64') return made(elementType, dims, Float64Array.from(items));
  if (elementType === 'float16') return made(elementType, dims, Uint16Array.from(items, numberToFloat16));
  return `is ${elementType}, which cannot be given as JSON`;
}

const shownBad = (items: readonly unknown[], expected: 'string' | 'number'): string => {
  const bad = items.find((item) => typeof item !== expected || !(expected === 'string' || Number.isFinite(item)));
  return typeof bad === 'number' ? String(bad) : JSON.stringify(bad);
};

const made = (elementType: ElementType, dims: readonly number[], array: ArrayBufferView): TensorData => ({
  elementType,
  dims,
  bytes: new Uint8Array(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength),
});
