import { type ByteSource, MemorySource, OptimumError, readBytes } from '../foundation/index.ts';
import { type Backing, bitWidth, byteLengthOf, type ElementType, Tensor } from '../ir/index.ts';
import type { Budget } from './limits.ts';
import { originals } from './originals.ts';
import { nested, readElementType } from './read-type.ts';
import { type Range, WireReader, wireTypes } from './wire-reader.ts';

/** Opens the file that external data names; it must refuse what lies outside the model's folder. */
export type OpenExternal = (location: string) => ByteSource;

/** What a TensorProto holds before it becomes a tensor. */
interface Fields {
  readonly dims: number[];
  elementType: ElementType | undefined;
  name: string | undefined;
  raw: Range | undefined;
  /** Packed data by field number: 4 float, 5 int32, 7 int64, 10 double, 11 uint64. */
  readonly packed: Map<number, Range[]>;
  /** Data that was not packed, as numbers. */
  readonly loose: Map<number, (number | bigint)[]>;
  readonly strings: Uint8Array[];
  isExternal: boolean;
  readonly external: Map<string, string>;
}

/** TensorProto from the reader's position to `end`, with its name. Payloads stay where they are. */
export function readTensor(
  reader: WireReader,
  end: number,
  budget: Budget,
  openExternal: OpenExternal | undefined,
): { tensor: Tensor; name: string | undefined } {
  budget.object();
  const range: Range = { source: reader.source, offset: reader.position, byteLength: end - reader.position };
  const fields = readFields(reader, end, budget);
  if (!fields.elementType) throw invalid(reader, fields, 'has no element type');
  const tensor = build(reader, fields, fields.elementType, openExternal);
  originals.tensors.set(tensor, { range, name: fields.name, isExternal: fields.isExternal });
  return { tensor, name: fields.name };
}

function readFields(reader: WireReader, end: number, budget: Budget): Fields {
  const fields: Fields = {
    dims: [],
    elementType: undefined,
    name: undefined,
    raw: undefined,
    packed: new Map(),
    loose: new Map(),
    strings: [],
    isExternal: false,
    external: new Map(),
  };
  while (reader.next(end)) {
    switch (reader.field) {
      case 1:
        readDims(reader, end, fields, budget);
        break;
      case 2:
        fields.elementType = readElementType(reader);
        break;
      case 4:
      case 5:
      case 7:
      case 10:
      case 11:
        readNumbers(reader, end, fields);
        break;
      case 6:
        fields.strings.push(reader.bytes(end));
        break;
      case 8:
        fields.name = reader.string(end, budget.limits.nameByteLength);
        break;
      case 9:
        fields.raw = reader.range(end);
        break;
      case 13:
        readEntry(reader, nested(reader, end), fields.external);
        break;
      case 14:
        fields.isExternal = reader.int32() === 1;
        break;
      default:
        reader.skip(end);
    }
  }
  return fields;
}

function readDims(reader: WireReader, end: number, fields: Fields, budget: Budget): void {
  if (reader.wireType !== wireTypes.bytes) fields.dims.push(Number(reader.int64()));
  else for (const last = nested(reader, end); reader.position < last; ) fields.dims.push(Number(reader.rawInt64()));
  budget.rank(fields.dims.length);
}

/** One key and value of `external_data` or of metadata. */
export function readEntry(reader: WireReader, end: number, entries: Map<string, string>): void {
  let key = '';
  let value = '';
  while (reader.next(end)) {
    if (reader.field === 1) key = reader.string(end);
    else if (reader.field === 2) value = reader.string(end);
    else reader.skip(end);
  }
  entries.set(key, value);
}

function readNumbers(reader: WireReader, end: number, fields: Fields): void {
  const { field } = reader;
  if (reader.wireType === wireTypes.bytes) {
    const ranges = fields.packed.get(field) ?? [];
    ranges.push(reader.range(end));
    fields.packed.set(field, ranges);
    return;
  }
  const numbers = fields.loose.get(field) ?? [];
  if (field === 4) numbers.push(reader.float32());
  else if (field === 10) throw reader.error('double_data that is not packed');
  else numbers.push(reader.int64());
  fields.loose.set(field, numbers);
}

function build(
  reader: WireReader,
  fields: Fields,
  elementType: ElementType,
  openExternal: OpenExternal | undefined,
): Tensor {
  const { dims } = fields;
  const backing = backingOf(reader, fields, elementType, openExternal);
  try {
    return new Tensor(elementType, dims, backing);
  } catch (error) {
    throw OptimumError.isInstance(error) ? invalid(reader, fields, `is wrong: ${error.message}`) : error;
  }
}

function backingOf(
  reader: WireReader,
  fields: Fields,
  elementType: ElementType,
  openExternal: OpenExternal | undefined,
): Backing {
  if (elementType === 'string') return { kind: 'strings', values: checkStrings(reader, fields) };
  if (fields.isExternal) return externalBacking(reader, fields, elementType, openExternal);
  if (fields.raw) return { kind: 'range', ...fields.raw };
  const field = dataField(elementType);
  const ranges = fields.packed.get(field) ?? [];
  const isRaw = field === 4 || field === 10;
  const [only] = ranges;
  if (isRaw && only && ranges.length === 1 && !fields.loose.has(field)) return { kind: 'range', ...only };
  return { kind: 'memory', bytes: decodeNumbers(fields, elementType, field) };
}

function checkStrings(reader: WireReader, fields: Fields): Uint8Array[] {
  const count = fields.dims.reduce((product, dim) => product * dim, 1);
  if (count !== fields.strings.length)
    throw invalid(reader, fields, `of strings needs ${count}, but has ${fields.strings.length}`);
  return fields.strings;
}

/** Which field holds the data of a type that is not raw. @source onnx.proto, TensorProto */
function dataField(elementType: ElementType): number {
  if (elementType === 'float32' || elementType === 'complex64') return 4;
  if (elementType === 'float64' || elementType === 'complex128') return 10;
  if (elementType === 'int64') return 7;
  return elementType === 'uint64' || elementType === 'uint32' ? 11 : 5;
}

/** The small tensors that are stored as lists of numbers. */
function decodeNumbers(fields: Fields, elementType: ElementType, field: number): Uint8Array {
  if (field === 4 || field === 10) return joinRaw(fields, field);
  const values: (number | bigint)[] = [...(fields.loose.get(field) ?? [])];
  for (const { source, offset, byteLength } of fields.packed.get(field) ?? []) {
    const list = new WireReader(new MemorySource(readBytes(source, offset, byteLength), source.name));
    while (list.position < byteLength) values.push(list.rawInt64());
  }
  return packIntegers(values, elementType);
}

/** float_data and double_data have the bytes of raw_data; only lists that are split or not packed need a copy. */
function joinRaw(fields: Fields, field: number): Uint8Array {
  const pieces = (fields.packed.get(field) ?? []).map(({ source, offset, byteLength }) =>
    readBytes(source, offset, byteLength),
  );
  pieces.push(new Uint8Array(Float32Array.from((fields.loose.get(field) ?? []).map(Number)).buffer));
  const joined = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.byteLength;
  }
  return joined;
}

/** Numbers as raw bytes; each number of a type below 8 bits holds one byte of packed elements. */
function packIntegers(values: readonly (number | bigint)[], elementType: ElementType): Uint8Array {
  const width = Math.max(1, bitWidth(elementType) / 8);
  const bytes = new Uint8Array(values.length * width);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => {
    if (width === 8) view.setBigInt64(index * 8, BigInt.asIntN(64, BigInt(value)), true);
    else if (width === 4) view.setInt32(index * 4, Number(BigInt.asIntN(32, BigInt(value))), true);
    else if (width === 2) view.setInt16(index * 2, Number(value), true);
    else view.setInt8(index, Number(value));
  });
  return bytes;
}

function externalBacking(
  reader: WireReader,
  fields: Fields,
  elementType: ElementType,
  open: OpenExternal | undefined,
): Backing {
  const location = fields.external.get('location');
  if (!location) throw invalid(reader, fields, 'is external, but names no location');
  if (!open) throw invalid(reader, fields, `is external data in "${location}", which cannot be opened from here`);
  const source = open(location);
  const expected = byteLengthOf(elementType, fields.dims);
  const offset = wholeNumber(reader, fields, 'offset', 0);
  const byteLength = wholeNumber(reader, fields, 'length', expected);
  if (byteLength !== expected)
    throw invalid(reader, fields, `needs ${expected} bytes, but its external data says ${byteLength}`);
  if (offset + byteLength > source.byteLength) {
    throw invalid(
      reader,
      fields,
      `lies at ${offset} to ${offset + byteLength} of "${location}", which has ${source.byteLength} bytes`,
    );
  }
  return { kind: 'range', source, offset, byteLength };
}

function wholeNumber(reader: WireReader, fields: Fields, key: string, fallback: number): number {
  const text = fields.external.get(key);
  if (text === undefined) return fallback;
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw invalid(reader, fields, `has the external ${key} "${text}", which is not a whole number`);
}

function invalid(reader: WireReader, fields: Fields, what: string): OptimumError {
  return new OptimumError(
    'E_MODEL_INVALID',
    `${reader.source.name}: tensor "${fields.name ?? ''}" [${fields.dims.join(', ')}] ${what}.`,
    {
      context: { file: reader.source.name, tensor: fields.name, dims: fields.dims },
    },
  );
}
