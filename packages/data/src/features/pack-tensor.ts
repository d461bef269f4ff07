import type { ElementType, TensorData } from '@optimum/core';
import { shown } from '../data-error.ts';
import { bytesOfValues, integerRanges, isFloatType, isIntegerType } from './element-values.ts';

/** Deeper lists are no tensor, and would end the call stack. */
const highestRank = 16;

/**
 * A tensor from nested lists (or one number), as they stand in JSON or come out of Parquet. Whole numbers past 2^53 may be
 * bigints, or written as text. Returns what is wrong with them as text instead.
 */
export function packTensor(value: unknown, elementType: ElementType): TensorData | string {
  const dims: number[] = [];
  for (let level = value; Array.isArray(level); level = level[0] as unknown) {
    if (dims.length === highestRank) return `is nested more than ${highestRank} lists deep`;
    dims.push(level.length);
  }
  const items: unknown[] = [];
  if (!collect(value, dims, 0, items)) return 'is ragged: its lists differ in length';
  if (elementType === 'string') return packStrings(items, dims);
  if (isIntegerType(elementType)) return packIntegers(items, dims, elementType);
  if (isFloatType(elementType)) return packFloats(items, dims, elementType);
  return `is ${elementType}, which cannot be given as lists of numbers`;
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
  const isText = (item: unknown): item is string => typeof item === 'string';
  if (!items.every(isText)) return `holds ${shown(items.find((item) => !isText(item)))}, expected text`;
  return { elementType: 'string', dims, bytes: new Uint8Array(), strings: items };
}

function packIntegers(
  items: readonly unknown[],
  dims: readonly number[],
  elementType: ElementType,
): TensorData | string {
  const [lowest, highest] = integerRanges[elementType] as readonly [bigint, bigint];
  const numbers: bigint[] = [];
  for (const item of items) {
    const number = toInteger(item);
    if (number === undefined || number < lowest || number > highest)
      return `holds ${shown(item)}, expected ${elementType} (${lowest} to ${highest}; past 2^53 as text)`;
    numbers.push(number);
  }
  return { elementType, dims, bytes: bytesOfValues(numbers, elementType) };
}

function toInteger(item: unknown): bigint | undefined {
  if (typeof item === 'bigint') return item;
  if (typeof item === 'boolean') return item ? 1n : 0n;
  if (typeof item === 'number') return Number.isSafeInteger(item) ? BigInt(item) : undefined;
  return typeof item === 'string' && /^-?\d{1,20}$/.test(item) ? BigInt(item) : undefined;
}

function packFloats(items: readonly unknown[], dims: readonly number[], elementType: ElementType): TensorData | string {
  const isNumber = (item: unknown): item is number => typeof item === 'number' && Number.isFinite(item);
  if (!items.every(isNumber)) return `holds ${shown(items.find((item) => !isNumber(item)))}, expected finite numbers`;
  return { elementType, dims, bytes: bytesOfValues(items, elementType) };
}
