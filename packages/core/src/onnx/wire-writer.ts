import type { TensorJob } from '../ir/index.ts';
import type { Range } from './wire-reader.ts';

/** A payload that is not bytes yet: copied from a source or computed by a job when the plan is executed. */
export type Payload =
  | { readonly kind: 'copy'; readonly range: Range }
  | { readonly kind: 'part'; readonly job: TensorJob; readonly part: number; readonly byteLength: number };

type Part = Uint8Array | Payload;

const encoder = new TextEncoder();
const firstCapacity = 96;
/** Strings and numbers are encoded here first, so that their length is known before they are copied in. */
let scratch = new Uint8Array(1024);

const byteLengthOf = (payload: Payload): number =>
  payload.kind === 'copy' ? payload.range.byteLength : payload.byteLength;

/**
 * An encoded message with its length known at all times, so that length prefixes are written before any payload is
 * touched. Bytes collect in one growing buffer between payloads: a model has a hundred thousand small fields, and an
 * array for each of them would cost more than the weights.
 */
export class MessageWriter {
  byteLength = 0;
  readonly #parts: Part[] = [];
  #buffer = new Uint8Array(firstCapacity);
  #used = 0;

  /** The encoded pieces in order. */
  get parts(): readonly Part[] {
    this.#flush();
    return this.#parts;
  }

  varint(field: number, value: number | bigint): this {
    this.#varint(field << 3);
    this.#varint(value);
    return this;
  }

  float32(field: number, value: number): this {
    this.#varint((field << 3) | 5);
    new DataView(scratch.buffer).setFloat32(0, value, true);
    return this.#append(scratch, 4);
  }

  string(field: number, value: string | Uint8Array): this {
    if (typeof value !== 'string') return this.bytes(field, value);
    if (scratch.byteLength < value.length * 3) scratch = new Uint8Array(value.length * 4);
    const { written } = encoder.encodeInto(value, scratch);
    // Numbers go through the buffer itself, so the text may wait in scratch.
    this.#prefix(field, written);
    return this.#append(scratch, written);
  }

  /** Writes the field only when there is a value. */
  optionalString(field: number, value: string | undefined): this {
    return value === undefined ? this : this.string(field, value);
  }

  bytes(field: number, value: Uint8Array): this {
    this.#prefix(field, value.byteLength);
    return this.#append(value, value.byteLength);
  }

  payload(field: number, payload: Payload): this {
    this.#prefix(field, byteLengthOf(payload));
    return this.#push(payload);
  }

  message(field: number, message: MessageWriter): this {
    this.#prefix(field, message.byteLength);
    for (const part of message.#parts) {
      if (part instanceof Uint8Array) this.#append(part, part.byteLength);
      else this.#push(part);
    }
    return this.#append(message.#buffer, message.#used);
  }

  /** Bytes that are encoded already: a field with its tag, or a whole message body. */
  verbatim(range: Range): this {
    return range.byteLength > 0 ? this.#push({ kind: 'copy', range }) : this;
  }

  #push(payload: Payload): this {
    this.#flush();
    this.#parts.push(payload);
    this.byteLength += byteLengthOf(payload);
    return this;
  }

  #flush(): void {
    if (this.#used === 0) return;
    this.#parts.push(this.#buffer.slice(0, this.#used));
    this.#used = 0;
  }

  #prefix(field: number, byteLength: number): void {
    this.#varint((field << 3) | 2);
    this.#varint(byteLength);
  }

  #append(bytes: Uint8Array, byteLength: number): this {
    this.#reserve(byteLength);
    this.#buffer.set(byteLength === bytes.byteLength ? bytes : bytes.subarray(0, byteLength), this.#used);
    this.#used += byteLength;
    this.byteLength += byteLength;
    return this;
  }

  /** A varint; negative numbers take ten bytes, as int64 does in protobuf. */
  #varint(value: number | bigint): void {
    this.#reserve(10);
    const start = this.#used;
    if (typeof value === 'bigint' || value < 0 || value > 0x7fffffff)
      this.#longVarint(BigInt.asUintN(64, BigInt(value)));
    else {
      let rest = value;
      for (; rest > 0x7f; rest >>>= 7) this.#buffer[this.#used++] = (rest & 0x7f) | 0x80;
      this.#buffer[this.#used++] = rest;
    }
    this.byteLength += this.#used - start;
  }

  #longVarint(value: bigint): void {
    let rest = value;
    for (; rest > 0x7fn; rest >>= 7n) this.#buffer[this.#used++] = Number(rest & 0x7fn) | 0x80;
    this.#buffer[this.#used++] = Number(rest);
  }

  #reserve(byteLength: number): void {
    const needed = this.#used + byteLength;
    if (needed <= this.#buffer.byteLength) return;
    const larger = new Uint8Array(Math.max(needed, this.#buffer.byteLength * 2));
    larger.set(this.#buffer.subarray(0, this.#used));
    this.#buffer = larger;
  }
}
