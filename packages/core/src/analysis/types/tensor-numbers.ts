import { float16ToNumber } from '../../foundation/index.ts';
import type { ElementType, Tensor } from '../../ir/index.ts';

/** Larger tensors are data, not shapes: their payload is not read. */
export const maxNumbers = 4096;

type Decode = (bytes: Uint8Array) => ArrayLike<number | bigint>;

/** A copy, because a view of a file may start anywhere and typed arrays may not. Buffer's own slice would not copy. */
const copy = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

const decoders: Partial<Record<ElementType, Decode>> = {
  int64: (bytes) => new BigInt64Array(copy(bytes)),
  uint64: (bytes) => new BigUint64Array(copy(bytes)),
  int32: (bytes) => new Int32Array(copy(bytes)),
  uint32: (bytes) => new Uint32Array(copy(bytes)),
  int16: (bytes) => new Int16Array(copy(bytes)),
  uint16: (bytes) => new Uint16Array(copy(bytes)),
  int8: (bytes) => new Int8Array(copy(bytes)),
  uint8: (bytes) => bytes,
  bool: (bytes) => bytes,
  float32: (bytes) => new Float32Array(copy(bytes)),
  float64: (bytes) => new Float64Array(copy(bytes)),
  float16: (bytes) => Array.from(new Uint16Array(copy(bytes)), float16ToNumber),
};

/**
 * The elements of a small numeric tensor, row by row; `undefined` where it is large, of another type, or still to be
 * computed. Integers outside ±2^53 are rounded: as bounds of a Slice they only say "to the end".
 */
export function numbersOf(tensor: Tensor): readonly number[] | undefined {
  const decode = decoders[tensor.elementType];
  if (!decode || tensor.backing.kind === 'computed' || tensor.elementCount > maxNumbers) return undefined;
  return Array.from(decode(tensor.bytes()), Number);
}
