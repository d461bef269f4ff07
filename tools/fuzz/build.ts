import { join, varintBytes } from './protobuf-tree.ts';

/**
 * ONNX by hand: protobuf that does not go through our own writer, so that tests of reader and writer stand on their
 * own feet, and so that it can be wrong. Each function returns encoded fields; put together they are a message.
 */
export type Bytes = Uint8Array;
const encoder = new TextEncoder();

export const varint = (field: number, value: number | bigint): Bytes =>
  join([varintBytes(BigInt(field * 8)), varintBytes(BigInt(value))]);
export const bytes = (field: number, ...content: readonly Bytes[]): Bytes => {
  const body = join(content);
  return join([varintBytes(BigInt(field * 8 + 2)), varintBytes(BigInt(body.byteLength)), body]);
};
export const string = (field: number, value: string): Bytes => bytes(field, encoder.encode(value));
export const fixed32 = (field: number, value: number): Bytes =>
  join([varintBytes(BigInt(field * 8 + 5)), new Uint8Array(Float32Array.of(value).buffer)]);
export const fixed64 = (field: number, value: number): Bytes =>
  join([varintBytes(BigInt(field * 8 + 1)), new Uint8Array(Float64Array.of(value).buffer)]);
export const message = bytes;
export const raw = (...values: readonly number[]): Bytes => Uint8Array.from(values);
export const zeros = (byteLength: number): Bytes => new Uint8Array(byteLength);

/** Element types by their number in ONNX. */
export const types = { float: 1, uint8: 2, int8: 3, int32: 6, int64: 7, string: 8, bool: 9, float16: 10, double: 11 };

/** An opset import as field 8 of a model or field 9 of a function. */
export const opsetIn = (field: number, version: number | bigint = 17, domain = ''): Bytes =>
  message(field, string(1, domain), varint(2, version));
export const opset = (version: number | bigint = 17, domain = ''): Bytes => opsetIn(8, version, domain);

/** ModelProto: IR 8 and opset 17 around a graph. */
export const model = (...fields: readonly Bytes[]): Bytes => join([varint(1, 8), opset(), ...fields]);
export const graph = (...fields: readonly Bytes[]): Bytes => message(7, string(2, 'g'), ...fields);
/** A model whose graph holds just these fields. */
export const modelOf = (...fields: readonly Bytes[]): Bytes => model(graph(...fields));

export const node = (
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  ...more: readonly Bytes[]
): Bytes => message(1, nodeBody(op, inputs, outputs, ...more));
export const nodeBody = (
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  ...more: readonly Bytes[]
): Bytes =>
  join([
    ...inputs.map((name) => string(1, name)),
    ...outputs.map((name) => string(2, name)),
    string(3, `${op}-${outputs.join('-')}`),
    string(4, op),
    ...more,
  ]);

export const tensorType = (elementType: number, dims: readonly (number | string)[] = []): Bytes => {
  const shape = dims.map((dim) => message(1, typeof dim === 'number' ? varint(1, dim) : string(2, dim)));
  return message(1, varint(1, elementType), message(2, ...shape));
};
export const valueInfo = (name: string, type: Bytes = tensorType(1, [2])): Bytes =>
  join([string(1, name), message(2, type)]);
export const input = (name: string, type?: Bytes): Bytes => message(11, valueInfo(name, type));
export const output = (name: string, type?: Bytes): Bytes => message(12, valueInfo(name, type));
export const innerInfo = (name: string, type?: Bytes): Bytes => message(13, valueInfo(name, type));

export const tensor = (
  name: string,
  elementType: number,
  dims: readonly (number | bigint)[],
  ...data: Bytes[]
): Bytes => join([...dims.map((dim) => varint(1, dim)), varint(2, elementType), string(8, name), ...data]);
export const initializer = (
  name: string,
  elementType: number,
  dims: readonly (number | bigint)[],
  ...data: Bytes[]
): Bytes => message(5, tensor(name, elementType, dims, ...data));

/** TensorProto fields that say that the data lies elsewhere. */
export const external = (entries: Readonly<Record<string, string>>): Bytes =>
  join([
    ...Object.entries(entries).map(([key, value]) => message(13, string(1, key), string(2, value))),
    varint(14, 1),
  ]);

/** AttributeProto with its type. */
export const attribute = (name: string, type: number, ...value: readonly Bytes[]): Bytes =>
  message(5, string(1, name), ...value, varint(20, type));

/** `depth` graphs inside each other by If nodes, the innermost with an Identity. */
export function nestedGraph(depth: number): Bytes {
  let body = join([node('Identity', ['x'], [`y${depth}`]), output(`y${depth}`)]);
  for (let level = depth - 1; level >= 0; level--) {
    const branch = attribute('then_branch', 5, message(6, body));
    body = join([node('If', ['c'], [`y${level}`], branch), output(`y${level}`)]);
  }
  return body;
}
