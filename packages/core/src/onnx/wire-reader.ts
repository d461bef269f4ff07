import { type ByteSource, MemorySource, OptimumError } from '../foundation/index.ts';

/** A range of bytes of a source: an encoded message, a payload, an unknown field. */
export interface Range {
  readonly source: ByteSource;
  readonly offset: number;
  readonly byteLength: number;
}

export const wireTypes = { varint: 0, fixed64: 1, bytes: 2, startGroup: 3, endGroup: 4, fixed32: 5 } as const;

const windowByteLength = 65_536;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads protobuf by position through one window over a source. Payloads that are skipped are never read.
 * `next(end)` moves to the next field of the message that ends at `end`; `field`, `wireType` and `tagStart` tell about
 * it; exactly one of the value methods or `skip` must follow.
 */
export class WireReader {
  readonly source: ByteSource;
  position = 0;
  field = 0;
  wireType = 0;
  tagStart = 0;
  #window: Uint8Array;
  #start = 0;
  #end = 0;

  constructor(source: ByteSource) {
    this.source = source;
    const inMemory = source instanceof MemorySource;
    this.#window = inMemory
      ? source.view(0, source.byteLength)
      : new Uint8Array(Math.min(windowByteLength, source.byteLength));
    this.#end = inMemory ? source.byteLength : 0;
  }

  /** Moves to the next field; false at the end of the message. */
  next(end: number): boolean {
    if (this.position >= end) {
      if (this.position > end) throw this.error(`a field runs past the end of its message at byte ${end}`);
      return false;
    }
    this.tagStart = this.position;
    const tag = this.#varint32();
    this.field = tag >>> 3;
    this.wireType = tag & 7;
    if (this.field === 0) throw this.error('field number 0');
    return true;
  }

  /** An int64 as a number inside ±2^53, as a bigint outside. */
  int64(): number | bigint {
    this.#expect(wireTypes.varint);
    return this.rawInt64();
  }

  /** A varint without the check of the wire type, for packed lists. */
  rawInt64(): number | bigint {
    let low = 0;
    let shift = 0;
    // 28 bits fit without care for the sign bit; longer ones take the exact road.
    const start = this.position;
    for (; shift < 28; shift += 7) {
      const byte = this.#byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return low;
    }
    this.position = start;
    return this.#longVarint();
  }

  int32(): number {
    this.#expect(wireTypes.varint);
    return Number(BigInt.asIntN(32, BigInt(this.rawInt64())));
  }

  float32(): number {
    this.#expect(wireTypes.fixed32);
    return this.rawFloat32();
  }

  /** A float without the check of the wire type, for packed lists. */
  rawFloat32(): number {
    const bytes = this.#take(4);
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getFloat32(0, true);
  }

  /** Length of a length-delimited field; the position is at its first byte. Checked against `end`. */
  length(end: number): number {
    this.#expect(wireTypes.bytes);
    const length = Number(this.rawInt64());
    if (length < 0 || this.position + length > end) {
      throw this.error(`field ${this.field} says ${length} bytes, but its message has ${end - this.position} left`);
    }
    return length;
  }

  /** The range of a length-delimited field, not read. */
  range(end: number): Range {
    const byteLength = this.length(end);
    const range = { source: this.source, offset: this.position, byteLength };
    this.position += byteLength;
    return range;
  }

  /** A copy of a length-delimited field. */
  bytes(end: number): Uint8Array {
    const length = this.length(end);
    return this.#take(length).slice();
  }

  /** @throws E_MODEL_INVALID for bytes that are not UTF-8: guessing would make distinct names one */
  string(end: number, limit = Number.POSITIVE_INFINITY): string {
    const length = this.length(end);
    const at = this.position;
    if (length > limit) {
      throw new OptimumError(
        'E_LIMIT_BYTES',
        `${this.source.name}: a name of ${length} bytes at byte ${at}; the limit is ${limit}.`,
      );
    }
    return this.#text(this.#take(length), at);
  }

  /** Passes over the value of the current field and returns the whole field, tag included. */
  skip(end: number): Range {
    switch (this.wireType) {
      case wireTypes.varint:
        this.rawInt64();
        break;
      case wireTypes.fixed64:
        this.position += 8;
        break;
      case wireTypes.bytes: {
        const length = this.length(end);
        this.position += length;
        break;
      }
      case wireTypes.fixed32:
        this.position += 4;
        break;
      default:
        throw this.error(`wire type ${this.wireType} of field ${this.field}`);
    }
    if (this.position > end) throw this.error(`field ${this.field} runs past the end of its message`);
    return { source: this.source, offset: this.tagStart, byteLength: this.position - this.tagStart };
  }

  error(what: string): OptimumError {
    return new OptimumError(
      'E_MODEL_WIRE',
      `${this.source.name}: the protobuf encoding is broken at byte ${this.tagStart}: ${what}.`,
      {
        context: { file: this.source.name, offset: this.tagStart, field: this.field },
        hint: 'The file is damaged or cut short; download or export it again.',
      },
    );
  }

  #text(bytes: Uint8Array, at: number): string {
    try {
      return decoder.decode(bytes);
    } catch {
      throw new OptimumError(
        'E_MODEL_INVALID',
        `${this.source.name}: a name or string at byte ${at} is not valid UTF-8.`,
        {
          context: { file: this.source.name, offset: at, field: this.field },
        },
      );
    }
  }

  #expect(wireType: number): void {
    if (this.wireType !== wireType)
      throw this.error(`field ${this.field} has wire type ${this.wireType}, expected ${wireType}`);
  }

  #varint32(): number {
    const value = this.rawInt64();
    if (typeof value === 'bigint' || value > 0xffffffff || value < 0) throw this.error('a tag past 32 bits');
    return value;
  }

  #longVarint(): number | bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return narrow(BigInt.asIntN(64, value));
    }
    throw this.error('a varint longer than 10 bytes');
  }

  #byte(): number {
    if (this.position >= this.#end || this.position < this.#start) this.#fill(1);
    return this.#window[this.position++ - this.#start] as number;
  }

  /** A view of the next bytes: valid until the window moves. */
  #take(length: number): Uint8Array {
    if (length > this.#window.byteLength) return this.#large(length);
    if (this.position < this.#start || this.position + length > this.#end) this.#fill(length);
    const at = this.position - this.#start;
    this.position += length;
    return this.#window.subarray(at, at + length);
  }

  #large(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.source.readInto(bytes, this.position);
    this.position += length;
    return bytes;
  }

  #fill(needed: number): void {
    const available = this.source.byteLength - this.position;
    if (available < needed) throw this.error('the file ends in the middle of a field');
    const length = Math.min(this.#window.byteLength, available);
    this.source.readInto(this.#window.subarray(0, length), this.position);
    this.#start = this.position;
    this.#end = this.position + length;
  }
}

/** Numbers inside ±2^53, bigints outside. */
export const narrow = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
