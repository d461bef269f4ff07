import { byteLengthOf, type ElementType, OptimumError, quote } from '@optimum/core';
import type { FileSource } from '@optimum/core/node';
import { dataError, messageOf, type Place, placeOfFile, shown } from '../data-error.ts';

/** One tensor of a safetensors file. */
export interface TensorEntry {
  readonly name: string;
  readonly elementType: ElementType;
  readonly dims: readonly number[];
  /** Position of its bytes in the file. */
  readonly offset: number;
  readonly byteLength: number;
}

/** @source huggingface/safetensors, README, "Format" */
const elementTypes: ReadonlyMap<unknown, ElementType> = new Map([
  ['BOOL', 'bool'],
  ['U8', 'uint8'],
  ['I8', 'int8'],
  ['U16', 'uint16'],
  ['I16', 'int16'],
  ['F16', 'float16'],
  ['BF16', 'bfloat16'],
  ['U32', 'uint32'],
  ['I32', 'int32'],
  ['F32', 'float32'],
  ['U64', 'uint64'],
  ['I64', 'int64'],
  ['F64', 'float64'],
]);

/** The format allows 100 MB; a data set has a few tensors, of some 100 bytes each. */
const longestHeader = 10e6;
const highestRank = 16;

/**
 * Reads the header of a safetensors file: 8 bytes of length, JSON, then the bytes of all tensors without holes.
 * @throws E_DATA_INVALID for whatever the format forbids, E_LIMIT_BYTES for a header past 10 MB
 */
export function readSafetensorsHeader(source: FileSource): TensorEntry[] {
  const place = placeOfFile(source.path);
  const [start, header] = readHeader(source, place);
  const entries = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => readEntry(name, entry, start, place))
    .sort((a, b) => a.offset - b.offset);
  let end = start;
  for (const { name, offset, byteLength } of entries) {
    if (offset !== end)
      throw damaged(place, `tensor ${quote(name)} ${offset < end ? 'overlaps another' : 'follows a hole'}`);
    end = offset + byteLength;
  }
  if (end !== source.byteLength)
    throw damaged(place, `its tensors end at byte ${end}, but the file has ${source.byteLength} bytes`);
  return entries;
}

/** The parsed header, and where the bytes of the tensors begin. */
function readHeader(source: FileSource, place: Place): [start: number, header: object] {
  if (source.byteLength < 8) throw damaged(place, `it has ${source.byteLength} bytes`);
  const prefix = new Uint8Array(8);
  source.readInto(prefix, 0);
  const claimed = new DataView(prefix.buffer).getBigUint64(0, true);
  if (claimed > source.byteLength - 8)
    throw damaged(place, `its header claims ${claimed} bytes, but the file has ${source.byteLength}`);
  const byteLength = Number(claimed);
  if (byteLength > longestHeader)
    throw dataError(place, `its header has ${byteLength} bytes; at most ${longestHeader} are read`, {
      code: 'E_LIMIT_BYTES',
      context: { byteLength, limit: longestHeader },
    });
  const bytes = new Uint8Array(byteLength);
  source.readInto(bytes, 8);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw damaged(place, `its header is not JSON (${messageOf(cause)})`, cause);
  }
  if (!isObject(header)) throw damaged(place, `its header is ${shown(header)}`);
  return [8 + byteLength, header];
}

function readEntry(name: string, entry: unknown, start: number, place: Place): TensorEntry {
  const { dtype, shape, data_offsets } = isObject(entry) ? entry : {};
  const elementType = elementTypes.get(dtype);
  if (!elementType) throw damaged(place, `tensor ${quote(name)} has the type ${shown(dtype)}`);
  if (!isSizes(shape) || shape.length > highestRank)
    throw damaged(place, `tensor ${quote(name)} has the shape ${shown(shape)}`);
  if (!isSizes(data_offsets) || data_offsets.length !== 2)
    throw damaged(place, `tensor ${quote(name)} has the offsets ${shown(data_offsets)}`);
  const [from, to] = data_offsets as [number, number];
  const expected = byteLengthFor(elementType, shape);
  if (to - from !== expected)
    throw damaged(place, `tensor ${quote(name)} needs ${expected ?? 'too many'} bytes, but has ${to - from}`);
  return { name, elementType, dims: shape, offset: start + from, byteLength: expected };
}

/** `undefined` past 2^53. */
function byteLengthFor(elementType: ElementType, dims: readonly number[]): number | undefined {
  try {
    return byteLengthOf(elementType, dims);
  } catch (error) {
    if (OptimumError.isInstance(error)) return undefined;
    throw error;
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isSizes = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);

const damaged = (place: Place, what: string, cause?: unknown): OptimumError =>
  dataError(place, `not a safetensors file that can be read: ${what}`, {
    hint: 'Is it complete? Download or write it again.',
    cause,
  });
