import { allocate, type ByteSource, MemorySource, OptimumError } from '../foundation/index.ts';
import { defaultLimits, type ReadLimits } from './limits.ts';
import { decodeText, narrow, tooLong } from './wire-text.ts';

/** A range of bytes of a source: an encoded message, a payload, an unknown field. */
export interface Range {
  readonly source: ByteSource;
  readonly offset: number;
  readonly byteLength: number;
}

export const wireTypes = { varint: 0, fixed64: 1, bytes: 2, startGroup: 3, endGroup: 4, fixed32: 5 } as const;

const windowByteLength = 65_536;
const shortestRead = 4096;

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
  #stretch = shortestRead;
  readonly #limits: Pick<ReadLimits, 'nameByteLength' | 'textByteLength'>;

  constructor(source: ByteSource, limits: Pick<ReadLimits, 'nameByteLength' | 'textByteLength'> = defaultLimits) {
    this.source = source;
    this.#limits = limits;
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

  /** End of the length-delimited field that the reader stands on, which is a message. */
  nested(end: number): number {
    const length = this.length(end);
    return this.position + length;
  }

  /** Calls `one` for each element of a packed list; the position is behind the list afterwards. */
  packed(end: number, one: () => void): void {
    const last = this.nested(end);
    while (this.position < last) one();
    if (this.position > last) throw this.error('the last element of a packed list runs past its end');
  }

  /** A copy of a length-delimited field. */
  bytes(end: number): Uint8Array {
    return this.#take(this.#limited(end, 'text', 'textByteLength')).slice();
  }

  /** @throws E_MODEL_INVALID for bytes that are not UTF-8: guessing would make distinct names one */
  string(end: number): string {
    return this.#text(this.#limited(end, 'text', 'textByteLength'));
  }

  /** A string that is a name, and so is short. */
  name(end: number): string {
    return this.#text(this.#limited(end, 'name', 'nameByteLength'));
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
        throw this.error(
          this.wireType === wireTypes.startGroup || this.wireType === wireTypes.endGroup
            ? `field ${this.field} is a group, which ONNX never uses`
            : `wire type ${this.wireType} of field ${this.field} does not exist`,
        );
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

  #text(length: number): string {
    const at = this.position;
    return decodeText(this.#take(length), this.source.name, at, this.field);
  }

  #limited(end: number, what: string, option: 'nameByteLength' | 'textByteLength'): number {
    const length = this.length(end);
    const limit = this.#limits[option];
    if (length <= limit) return length;
    throw tooLong(this.source.name, what, length, this.position, option, limit);
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
    const bytes = allocate(length, this.source.name);
    this.source.readInto(bytes, this.position);
    this.position += length;
    return bytes;
  }

  /** Reads more at a time while it goes straight on; after a jump over a payload little is needed. */
  #fill(needed: number): void {
    const available = this.source.byteLength - this.position;
    if (available < needed) throw this.error('the file ends in the middle of a field');
    const goesOn = this.position >= this.#start && this.position <= this.#end;
    this.#stretch = goesOn ? Math.min(this.#stretch * 2, this.#window.byteLength) : shortestRead;
    const length = Math.min(Math.max(needed, this.#stretch), this.#window.byteLength, available);
    this.source.readInto(this.#window.subarray(0, length), this.position);
    this.#start = this.position;
    this.#end = this.position + length;
  }
}
