import { OptimumError } from './errors.ts';

/** Random access to bytes that are read where they lie: a file, memory, or a Blob inside a worker. Synchronous. */
export interface ByteSource {
  /** Name for messages: a path, or what the caller called it. */
  readonly name: string;
  readonly byteLength: number;
  /**
   * Fills `target` with the bytes from `position` on. Reads all of `target` or throws.
   * @throws E_MODEL_WIRE when the range ends past the source, E_IO when the device fails.
   */
  readInto(target: Uint8Array, position: number): void;
  /** Present where another thread or process can open the same bytes again. */
  readonly path?: string;
}

/** Receives bytes at positions; every position is written once. */
export interface ByteSink {
  readonly name: string;
  writeAt(bytes: Uint8Array, position: number): void;
}

/** A source over bytes in memory; nothing is copied until it is read. */
export class MemorySource implements ByteSource {
  readonly name: string;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, name = 'bytes in memory') {
    this.#bytes = bytes;
    this.name = name;
  }

  get byteLength(): number {
    return this.#bytes.byteLength;
  }

  readInto(target: Uint8Array, position: number): void {
    checkRange(this, position, target.byteLength);
    target.set(this.#bytes.subarray(position, position + target.byteLength));
  }

  /** A view, not a copy. */
  view(position: number, byteLength: number): Uint8Array {
    checkRange(this, position, byteLength);
    return this.#bytes.subarray(position, position + byteLength);
  }
}

/** Collects positional writes in one growing buffer. */
export class MemorySink implements ByteSink {
  readonly name = 'bytes in memory';
  #bytes: Uint8Array;
  #end = 0;

  constructor(byteLength = 1024) {
    this.#bytes = new Uint8Array(byteLength);
  }

  writeAt(bytes: Uint8Array, position: number): void {
    const end = position + bytes.byteLength;
    if (end > this.#bytes.byteLength) this.#grow(end);
    this.#bytes.set(bytes, position);
    this.#end = Math.max(this.#end, end);
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#end);
  }

  #grow(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, this.#bytes.byteLength * 2));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

/** @throws E_MODEL_WIRE when `position … position + byteLength` is not inside the source. */
export function checkRange(source: ByteSource, position: number, byteLength: number): void {
  const isWhole = Number.isSafeInteger(position) && Number.isSafeInteger(byteLength);
  if (isWhole && position >= 0 && byteLength >= 0 && position + byteLength <= source.byteLength) return;
  throw new OptimumError(
    'E_MODEL_WIRE',
    `${source.name}: bytes ${position} to ${position + byteLength} were asked for, but it ends at ${source.byteLength}.`,
    { context: { file: source.name, offset: position, byteLength, fileByteLength: source.byteLength } },
  );
}

/** Reads a range into fresh memory. */
export function readBytes(source: ByteSource, position: number, byteLength: number): Uint8Array {
  if (source instanceof MemorySource) return source.view(position, byteLength);
  checkRange(source, position, byteLength);
  const target = allocate(byteLength, source.name);
  source.readInto(target, position);
  return target;
}

/** @throws E_LIMIT_MEMORY when the memory cannot be had: past 4 GiB on some versions of Node, or past the machine */
export function allocate(byteLength: number, purpose: string): Uint8Array {
  try {
    return new Uint8Array(byteLength);
  } catch (error) {
    throw new OptimumError('E_LIMIT_MEMORY', `${purpose}: ${byteLength} bytes of memory at once cannot be had.`, {
      hint: 'Read it in pieces (Tensor.chunks), or use a machine with more memory.',
      context: { file: purpose, byteLength },
      cause: error,
    });
  }
}
