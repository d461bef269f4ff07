import { type ByteSource, internalError, OptimumError, readBytes } from '../foundation/index.ts';
import { bitWidth, byteLengthOf, type ElementType, elementCount } from './element-type.ts';

/** Default size of the pieces in which large tensors move: the sweet spot of positional reads. */
export const chunkByteLength = 1 << 20;

/**
 * Work that makes one or more tensors at once (a weight, its scales, its zero points). It runs when the first of its
 * parts is needed, and the writer runs it straight into the output, so that no part is ever held whole.
 */
export interface TensorJob {
  readonly parts: readonly { readonly elementType: ElementType; readonly dims: readonly number[] }[];
  /**
   * Calls `emit` until every byte of every part was emitted once. `bytes` is only valid during the call.
   * @param memoryByteLength how much working memory to keep to, where the work can choose
   */
  run(emit: (part: number, offset: number, bytes: Uint8Array) => void, memoryByteLength?: number): void;
  /** A structured-cloneable description by which another thread can do the same work; absent where it cannot. */
  readonly task?: unknown;
}

/** Where the bytes of a tensor are. */
export type Backing =
  | { readonly kind: 'memory'; readonly bytes: Uint8Array }
  | { readonly kind: 'range'; readonly source: ByteSource; readonly offset: number; readonly byteLength: number }
  | { readonly kind: 'computed'; readonly job: TensorJob; readonly part: number }
  | { readonly kind: 'strings'; readonly values: readonly Uint8Array[] };

/**
 * An immutable tensor. Its bytes are ONNX raw layout: little-endian, row-major, sub-byte elements packed low first.
 * A weight of a file is a byte range of that file until somebody asks for it.
 */
export class Tensor {
  readonly elementType: ElementType;
  readonly dims: readonly number[];
  readonly backing: Backing;

  constructor(elementType: ElementType, dims: readonly number[], backing: Backing) {
    this.elementType = elementType;
    this.dims = dims;
    this.backing = backing;
    if (backing.kind === 'strings') return;
    const expected = byteLengthOf(elementType, dims);
    const actual = this.byteLength;
    if (expected === actual) return;
    throw new OptimumError(
      'E_MODEL_INVALID',
      `A ${elementType} tensor of [${dims.join(', ')}] needs ${expected} bytes, but has ${actual}.`,
      { context: { elementType, dims: [...dims], expected, actual } },
    );
  }

  get elementCount(): number {
    return elementCount(this.dims);
  }

  /** Bytes in raw layout; for strings the sum of their UTF-8 bytes. */
  get byteLength(): number {
    const { backing } = this;
    if (backing.kind === 'memory') return backing.bytes.byteLength;
    if (backing.kind === 'range') return backing.byteLength;
    if (backing.kind === 'strings') return backing.values.reduce((sum, value) => sum + value.byteLength, 0);
    return byteLengthOf(this.elementType, this.dims);
  }

  /** All bytes at once: a view where they are in memory, else a copy. Large weights are better taken by `chunks`. */
  bytes(): Uint8Array {
    const { backing } = this;
    if (backing.kind === 'memory') return backing.bytes;
    if (backing.kind === 'range') return readBytes(backing.source, backing.offset, backing.byteLength);
    if (backing.kind === 'computed') return computedBytes(backing.job, backing.part, this.byteLength);
    throw internalError('A string tensor has no raw bytes; use strings().');
  }

  /** Pieces in order. A piece may be reused memory: it is valid until the next one is asked for. */
  *chunks(maxByteLength = chunkByteLength): Iterable<Uint8Array> {
    const { backing } = this;
    if (backing.kind !== 'range') {
      yield this.bytes();
      return;
    }
    const buffer = new Uint8Array(Math.min(maxByteLength, backing.byteLength));
    for (let done = 0; done < backing.byteLength; done += buffer.byteLength) {
      const piece = buffer.subarray(0, Math.min(buffer.byteLength, backing.byteLength - done));
      backing.source.readInto(piece, backing.offset + done);
      yield piece;
    }
  }

  /** The elements of a string tensor as UTF-8 bytes. */
  strings(): readonly Uint8Array[] {
    if (this.backing.kind !== 'strings') throw internalError(`A ${this.elementType} tensor has no strings.`);
    return this.backing.values;
  }
}

function computedBytes(job: TensorJob, wanted: number, byteLength: number): Uint8Array {
  const result = new Uint8Array(byteLength);
  job.run((part, offset, bytes) => {
    if (part === wanted) result.set(bytes, offset);
  });
  return result;
}

/** A tensor over bytes in memory (raw layout, not copied). */
export const tensorOfBytes = (elementType: ElementType, dims: readonly number[], bytes: Uint8Array): Tensor =>
  new Tensor(elementType, dims, { kind: 'memory', bytes });

/** The tensors that a job makes, in the order of its parts. */
export const tensorsOfJob = (job: TensorJob): Tensor[] =>
  job.parts.map(({ elementType, dims }, part) => new Tensor(elementType, dims, { kind: 'computed', job, part }));

type NumericArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** A tensor over a typed array; the bytes are shared, not copied. */
export function tensorOf(elementType: ElementType, dims: readonly number[], values: NumericArray): Tensor {
  return tensorOfBytes(elementType, dims, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}

export const float32Tensor = (dims: readonly number[], values: ArrayLike<number>): Tensor =>
  tensorOf('float32', dims, Float32Array.from(values));
export const int64Tensor = (dims: readonly number[], values: readonly (number | bigint)[]): Tensor =>
  tensorOf('int64', dims, BigInt64Array.from(values.map(BigInt)));

/** True when both are stored in the same bytes of the same place: the same weight under two names. */
export function sameBytes(a: Tensor, b: Tensor): boolean {
  if (a === b) return true;
  if (a.elementType !== b.elementType || a.byteLength !== b.byteLength) return false;
  if (a.backing.kind === 'range' && b.backing.kind === 'range') {
    return a.backing.source === b.backing.source && a.backing.offset === b.backing.offset;
  }
  return a.backing.kind === 'memory' && b.backing.kind === 'memory' && a.backing.bytes === b.backing.bytes;
}

/** Bits per element over 8; 0 for strings. */
export const elementByteLength = (type: ElementType): number => bitWidth(type) / 8;
