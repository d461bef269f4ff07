import { type ByteSource, checkRange } from '../../foundation/index.ts';
import type { Tensor } from '../../ir/index.ts';
import type { WeightLayout } from './weight-layout.ts';

/** Integers that are turned into floats at once. */
const pieceByteLength = 1 << 16;

/**
 * The integers of a stored weight without their zero points, as float32 numbers: what they stand for in units of their
 * scale. They are computed where they are read, so that memory stays fixed.
 */
export function integerGrid(tensor: Tensor, zeroPoints: readonly number[], layout: WeightLayout): ByteSource {
  const { backing } = tensor;
  const readBytes =
    backing.kind === 'range'
      ? (target: Uint8Array, position: number) => backing.source.readInto(target, backing.offset + position)
      : readerOf(tensor.bytes());
  const zeroPointAt = zeroPointOf(zeroPoints, layout);
  const source: ByteSource = {
    name: 'integers of a weight',
    byteLength: tensor.elementCount * 4,
    readInto(target, position) {
      checkRange(source, position, target.byteLength);
      const floats = new Float32Array(target.buffer, target.byteOffset, target.byteLength / 4);
      const raw = new Uint8Array(Math.min(pieceByteLength, floats.length));
      for (let start = 0; start < floats.length; start += raw.length) {
        const piece = raw.subarray(0, Math.min(raw.length, floats.length - start));
        const first = position / 4 + start;
        readBytes(piece, first);
        const numbers = tensor.elementType === 'int8' ? new Int8Array(piece.buffer, 0, piece.length) : piece;
        for (let index = 0; index < numbers.length; index++)
          floats[start + index] = (numbers[index] as number) - zeroPointAt(first + index);
      }
    },
  };
  return source;
}

const readerOf =
  (bytes: Uint8Array) =>
  (target: Uint8Array, position: number): void =>
    target.set(bytes.subarray(position, position + target.byteLength));

/** Zero point of an element by its place in the stored order. */
function zeroPointOf(zeroPoints: readonly number[], layout: WeightLayout): (index: number) => number {
  const [only = 0] = zeroPoints;
  if (zeroPoints.every((zeroPoint) => zeroPoint === only)) return () => only;
  const { columns, channels } = layout;
  return channels === 'columns'
    ? (index) => zeroPoints[index % columns] as number
    : (index) => zeroPoints[Math.floor(index / columns)] as number;
}
