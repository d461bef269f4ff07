import type { TensorJob } from '../ir/index.ts';
import type { Range } from './wire-reader.ts';

/** A payload that is not bytes yet: copied from a source or computed by a job when the plan is executed. */
export type Payload =
  | { readonly kind: 'copy'; readonly range: Range }
  | { readonly kind: 'part'; readonly job: TensorJob; readonly part: number; readonly byteLength: number };

type Part = Uint8Array | Payload;

const encoder = new TextEncoder();
const byteLengthOfPart = (part: Part): number =>
  part instanceof Uint8Array ? part.byteLength : part.kind === 'copy' ? part.range.byteLength : part.byteLength;

/**
 * An encoded message as a list of parts with its length known at all times, so that length prefixes are written
 * before any payload is touched.
 */
export class MessageWriter {
  readonly parts: Part[] = [];
  byteLength = 0;

  varint(field: number, value: number | bigint): this {
    return this.#push(concat(varintBytes(field << 3), varintBytes(value)));
  }

  float32(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.#push(concat(varintBytes((field << 3) | 5), bytes));
  }

  string(field: number, value: string | Uint8Array): this {
    return this.bytes(field, typeof value === 'string' ? encoder.encode(value) : value);
  }

  /** Writes the field only when there is a value. */
  optionalString(field: number, value: string | undefined): this {
    return value === undefined ? this : this.string(field, value);
  }

  bytes(field: number, value: Uint8Array): this {
    return this.#push(concat(varintBytes((field << 3) | 2), varintBytes(value.byteLength), value));
  }

  payload(field: number, payload: Payload): this {
    this.#push(concat(varintBytes((field << 3) | 2), varintBytes(byteLengthOfPart(payload))));
    return this.#push(payload);
  }

  message(field: number, message: MessageWriter): this {
    this.#push(concat(varintBytes((field << 3) | 2), varintBytes(message.byteLength)));
    for (const part of message.parts) this.parts.push(part);
    this.byteLength += message.byteLength;
    return this;
  }

  /** Bytes that are encoded already: a field with its tag, or a whole message body. */
  verbatim(range: Range): this {
    return range.byteLength > 0 ? this.#push({ kind: 'copy', range }) : this;
  }

  #push(part: Part): this {
    this.parts.push(part);
    this.byteLength += byteLengthOfPart(part);
    return this;
  }
}

/** A varint; negative numbers take ten bytes, as int64 does in protobuf. */
export function varintBytes(value: number | bigint): Uint8Array {
  if (typeof value === 'bigint' || value < 0 || value > 0x7fffffff)
    return longVarintBytes(BigInt.asUintN(64, BigInt(value)));
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

function longVarintBytes(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

function concat(...arrays: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(arrays.reduce((sum, array) => sum + array.byteLength, 0));
  let at = 0;
  for (const array of arrays) {
    result.set(array, at);
    at += array.byteLength;
  }
  return result;
}
