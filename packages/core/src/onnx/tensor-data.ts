import { type ByteSource, OptimumError } from '../foundation/index.ts';
import {
  type Backing,
  bitWidth,
  byteLengthOf,
  chunkByteLength,
  type ElementType,
  type TensorJob,
} from '../ir/index.ts';
import { type Range, WireReader } from './wire-reader.ts';

/** Fields of TensorProto that hold data, by number. @source onnx.proto, TensorProto */
export const dataFields: ReadonlyMap<number, string> = new Map([
  [4, 'float_data'],
  [5, 'int32_data'],
  [6, 'string_data'],
  [7, 'int64_data'],
  [9, 'raw_data'],
  [10, 'double_data'],
  [11, 'uint64_data'],
]);

/** Which field holds the data of a type that is not raw. @source onnx.proto, TensorProto */
export function dataFieldOf(elementType: ElementType): number {
  if (elementType === 'string') return 6;
  if (elementType === 'float32' || elementType === 'complex64') return 4;
  if (elementType === 'float64' || elementType === 'complex128') return 10;
  if (elementType === 'int64') return 7;
  return elementType === 'uint64' || elementType === 'uint32' ? 11 : 5;
}

/** Lists up to this are decoded while the model is read; longer ones are checked then and decoded when needed. */
const largestInMemory = 1 << 20;

/**
 * The data of a tensor that is a list of numbers, from its encoded pieces in order. float_data and double_data have the
 * bytes of raw_data and stay where they are when they are in one piece.
 */
export function listBacking(
  source: ByteSource,
  pieces: readonly Range[],
  elementType: ElementType,
  dims: readonly number[],
): Backing {
  const isFixed = [4, 10].includes(dataFieldOf(elementType));
  const [only] = pieces;
  if (isFixed && only && pieces.length === 1) return { kind: 'range', ...only };
  const byteLength = byteLengthOf(elementType, dims);
  // Checked before anything is allocated: each number takes at least one encoded byte.
  const encoded = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  const most = isFixed ? encoded : encoded * Math.max(1, bitWidth(elementType) / 8);
  if (byteLength > most) throw wrongCount(source, elementType, dims, byteLength, most);
  const run = (emit: (offset: number, bytes: Uint8Array) => void): void => {
    const end = isFixed ? emitFixed(source, pieces, emit) : emitIntegers(source, pieces, elementType, emit);
    if (end !== byteLength) throw wrongCount(source, elementType, dims, byteLength, end);
  };
  if (byteLength <= largestInMemory) return { kind: 'memory', bytes: collect(byteLength, run) };
  run(() => undefined);
  const job: TensorJob = { parts: [{ elementType, dims }], run: (emit) => run((at, bytes) => emit(0, at, bytes)) };
  return { kind: 'computed', job, part: 0 };
}

function collect(byteLength: number, run: (emit: (offset: number, bytes: Uint8Array) => void) => void): Uint8Array {
  const result = new Uint8Array(byteLength);
  run((offset, bytes) => {
    if (offset + bytes.byteLength <= byteLength) result.set(bytes, offset);
  });
  return result;
}

function emitFixed(
  source: ByteSource,
  pieces: readonly Range[],
  emit: (offset: number, bytes: Uint8Array) => void,
): number {
  let end = 0;
  for (const { offset, byteLength } of pieces) {
    for (let done = 0; done < byteLength; ) {
      const chunk = new Uint8Array(Math.min(chunkByteLength, byteLength - done));
      source.readInto(chunk, offset + done);
      emit(end, chunk);
      done += chunk.byteLength;
      end += chunk.byteLength;
    }
  }
  return end;
}

/** Varints as raw bytes; each number of a type below 8 bits holds one byte of packed elements. Returns their length. */
function emitIntegers(
  source: ByteSource,
  pieces: readonly Range[],
  elementType: ElementType,
  emit: (offset: number, bytes: Uint8Array) => void,
): number {
  const width = Math.max(1, bitWidth(elementType) / 8);
  const chunk = new Uint8Array(8192 * width);
  const view = new DataView(chunk.buffer);
  const reader = new WireReader(source);
  let filled = 0;
  let end = 0;
  for (const { offset, byteLength } of pieces) {
    reader.position = offset;
    while (reader.position < offset + byteLength) {
      // Errors name the place of the number.
      reader.tagStart = reader.position;
      putInteger(view, filled, width, reader.rawInt64(), reader);
      filled += width;
      if (filled < chunk.byteLength) continue;
      emit(end, chunk);
      end += filled;
      filled = 0;
    }
    if (reader.position > offset + byteLength) throw reader.error('the last number of a list runs past its end');
  }
  if (filled > 0) emit(end, chunk.subarray(0, filled));
  return end + filled;
}

/** @throws E_MODEL_INVALID for a number that the type cannot hold: cutting it would change the model in silence */
function putInteger(view: DataView, at: number, width: number, value: number | bigint, reader: WireReader): void {
  if (width === 8) {
    view.setBigInt64(at, BigInt.asIntN(64, BigInt(value)), true);
    return;
  }
  const bits = width * 8;
  if (value < -(2 ** (bits - 1)) || value >= 2 ** bits) {
    const file = reader.source.name;
    throw new OptimumError('E_MODEL_INVALID', `${file}: the number ${value} does not fit into ${bits} bits.`, {
      context: { file, offset: reader.position, value: String(value), bits },
    });
  }
  if (width === 4) view.setInt32(at, Number(value), true);
  else if (width === 2) view.setInt16(at, Number(value), true);
  else view.setInt8(at, Number(value));
}

function wrongCount(
  source: ByteSource,
  elementType: ElementType,
  dims: readonly number[],
  expected: number,
  actual: number,
): OptimumError {
  const what = `${elementType} [${dims.join(', ')}] needs ${expected} bytes, but its list of numbers makes ${actual}`;
  return new OptimumError('E_MODEL_INVALID', `${source.name}: ${what}.`, {
    context: { file: source.name, elementType, dims: [...dims], expected, actual },
  });
}
