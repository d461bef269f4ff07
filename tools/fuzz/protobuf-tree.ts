import { type MessageType, messageIn } from './schema.ts';

/** A protobuf message as a tree that can be edited and written back, also wrongly on purpose. */
export interface Message {
  readonly type: MessageType;
  fields: Field[];
}

export interface Field {
  number: number;
  wireType: number;
  value: bigint | Uint8Array | Message;
  /** Added to the length that is written in front of the value. */
  lengthLie?: number;
  /** Extra bytes of a varint that is longer than it needs to be. */
  padding?: number;
}

export const isMessage = (value: Field['value']): value is Message => typeof value === 'object' && 'fields' in value;

/** Parses bytes that are sound; a part that does not parse stays bytes. */
export function parse(bytes: Uint8Array, type: MessageType): Message {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined || shift > 63n) throw new Error('not protobuf');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new Error('not protobuf');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const number = tag >>> 3;
    const wireType = tag & 7;
    if (wireType === 0) fields.push({ number, wireType, value: varint() });
    else if (wireType === 1) fields.push({ number, wireType, value: take(8) });
    else if (wireType === 5) fields.push({ number, wireType, value: take(4) });
    else if (wireType === 2)
      fields.push({ number, wireType, value: content(take(Number(varint())), messageIn(type, number)) });
    else throw new Error('not protobuf');
  }
  return { type, fields };
}

function content(bytes: Uint8Array, type: MessageType | undefined): Uint8Array | Message {
  if (!type) return bytes;
  try {
    return parse(bytes, type);
  } catch {
    return bytes;
  }
}

export function encode(message: Message): Uint8Array {
  return join(message.fields.flatMap(encodeField));
}

function encodeField({ number, wireType, value, lengthLie, padding }: Field): Uint8Array[] {
  const tag = varintBytes(BigInt(((number << 3) | wireType) >>> 0));
  if (typeof value === 'bigint') return [tag, varintBytes(value, padding)];
  const body = isMessage(value) ? encode(value) : value;
  if (wireType !== 2) return [tag, body];
  return [tag, varintBytes(BigInt(body.byteLength + (lengthLie ?? 0)), padding), body];
}

export function varintBytes(value: bigint, padding = 0): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  for (let left = padding; left > 0; left--) {
    bytes[bytes.length - 1] = (bytes.at(-1) as number) | 0x80;
    bytes.push(0);
  }
  return Uint8Array.from(bytes);
}

export function join(pieces: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0));
  let at = 0;
  for (const piece of pieces) {
    result.set(piece, at);
    at += piece.byteLength;
  }
  return result;
}

/** Every message of a tree with the field that holds it, outermost first. */
export function walk(root: Message): Message[] {
  const found = [root];
  for (const message of found) for (const { value } of message.fields) if (isMessage(value)) found.push(value);
  return found;
}
