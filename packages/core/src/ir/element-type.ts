import { OptimumError } from '../foundation/index.ts';

/**
 * Element types as ONNX numbers and sizes them.
 * @source onnx/onnx.proto, TensorProto.DataType
 */
const table = [
  ['float32', 1, 32],
  ['uint8', 2, 8],
  ['int8', 3, 8],
  ['uint16', 4, 16],
  ['int16', 5, 16],
  ['int32', 6, 32],
  ['int64', 7, 64],
  ['string', 8, 0],
  ['bool', 9, 8],
  ['float16', 10, 16],
  ['float64', 11, 64],
  ['uint32', 12, 32],
  ['uint64', 13, 64],
  ['complex64', 14, 64],
  ['complex128', 15, 128],
  ['bfloat16', 16, 16],
  ['float8e4m3fn', 17, 8],
  ['float8e4m3fnuz', 18, 8],
  ['float8e5m2', 19, 8],
  ['float8e5m2fnuz', 20, 8],
  ['uint4', 21, 4],
  ['int4', 22, 4],
  ['float4e2m1', 23, 4],
  ['float8e8m0', 24, 8],
  ['uint2', 25, 2],
  ['int2', 26, 2],
] as const;

export type ElementType = (typeof table)[number][0];

const byCode = new Map<number, ElementType>(table.map(([name, code]) => [code, name]));
const codes = new Map<string, number>(table.map(([name, code]) => [name, code]));
const bits = new Map<string, number>(table.map(([name, , width]) => [name, width]));

/** ONNX's textual syntax and its C++ names differ from ours for the two common floats. */
const aliases = new Map<string, ElementType>([
  ['float', 'float32'],
  ['double', 'float64'],
]);

export const elementTypes: readonly ElementType[] = table.map(([name]) => name);

/** `undefined` for 0 (UNDEFINED) and for numbers that no ONNX version defines. */
export const elementTypeOfCode = (code: number): ElementType | undefined => byCode.get(code);
export const codeOfElementType = (type: ElementType): number => codes.get(type) as number;
export const elementTypeOfName = (name: string): ElementType | undefined =>
  aliases.get(name) ?? (codes.has(name) ? (name as ElementType) : undefined);

/** Bits of one element; 0 for strings, which have no fixed width. */
export const bitWidth = (type: ElementType): number => bits.get(type) as number;

/**
 * Bytes of a tensor in ONNX raw layout (sub-byte types packed, last byte padded).
 * @throws E_MODEL_INVALID for a negative dimension or a product past 2^53
 */
export function byteLengthOf(type: ElementType, dims: readonly number[]): number {
  return Math.ceil((elementCount(dims) * bitWidth(type)) / 8);
}

export function elementCount(dims: readonly number[]): number {
  let count = 1;
  for (const dim of dims) {
    if (!Number.isSafeInteger(dim) || dim < 0) throw invalidDims(dims);
    count *= dim;
  }
  if (count > Number.MAX_SAFE_INTEGER / 16) throw invalidDims(dims);
  return count;
}

function invalidDims(dims: readonly number[]): OptimumError {
  return new OptimumError('E_MODEL_INVALID', `Dimensions [${dims.join(', ')}] are negative or too large.`, {
    context: { dims: [...dims] },
  });
}
