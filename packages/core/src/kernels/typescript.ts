import { float16ToNumber } from '../foundation/index.ts';
import type { Kernels } from './kernels.ts';

/** float32 rounding magic for doubles: adding and subtracting it rounds half to even. */
const magic = 6755399441055744;

/** f32(x / scale), rounded half to even: the quotient of two floats is right after one rounding to float32. */
const divide = (value: number, scale: number): number => Math.fround(value / scale) + magic - magic;

/** The kernels in plain TypeScript over one buffer; the same bytes as the WebAssembly ones. */
export function typescriptKernels(): Kernels {
  let buffer = new ArrayBuffer(65_536);
  const floats = (pointer: number, count: number): Float32Array => new Float32Array(buffer, pointer, count);
  const bytes = (pointer: number, count: number): Int8Array => new Int8Array(buffer, pointer, count);
  const kernels: Kernels = {
    kind: 'typescript',
    heapBase: 1024,
    get buffer() {
      return buffer;
    },
    grow(byteLength) {
      if (byteLength <= buffer.byteLength) return;
      const larger = new ArrayBuffer(byteLength);
      new Uint8Array(larger).set(new Uint8Array(buffer));
      buffer = larger;
    },
    absMax: (x, count) => absMax(floats(x, count)),
    minMax: (x, count, out) => floats(out, 2).set(minMax(floats(x, count))),
    absMaxColumns: (x, rows, columns, accumulator) =>
      absMaxColumns(floats(x, rows * columns), columns, floats(accumulator, columns)),
    absMaxRows(x, rows, columns, out) {
      const target = floats(out, rows);
      for (let row = 0; row < rows; row++) target[row] = absMax(floats(x + row * columns * 4, columns));
    },
    pairMaxColumns: (x, rows, columns, accumulator) =>
      pairMaxColumns(floats(x, rows * columns), rows, columns, floats(accumulator, columns)),
    quantizeInt8: (x, count, out, scale) => quantizeInt8(floats(x, count), bytes(out, count), Math.fround(scale)),
    quantizeUint8(x, count, out, scale, zeroPoint) {
      const source = floats(x, count);
      const target = new Uint8ClampedArray(buffer, out, count);
      const float = Math.fround(scale);
      for (let i = 0; i < count; i++) target[i] = divide(source[i] as number, float) + zeroPoint;
    },
    quantizeInt8Columns(x, rows, columns, out, scales) {
      const source = floats(x, rows * columns);
      const target = bytes(out, rows * columns);
      const scale = floats(scales, columns);
      for (let i = 0; i < source.length; i++)
        target[i] = clampInt8(divide(source[i] as number, scale[i % columns] as number));
    },
    quantizeInt8Rows(x, rows, columns, out, scales) {
      const scale = floats(scales, rows);
      for (let row = 0; row < rows; row++) {
        quantizeInt8(floats(x + row * columns * 4, columns), bytes(out + row * columns, columns), scale[row] as number);
      }
    },
    pairViolationColumns: (q, rows, columns, flags) =>
      pairViolationColumns(bytes(q, rows * columns), rows, columns, new Uint8Array(buffer, flags, columns)),
    // A row whose neighbours are paired is a matrix of pairs with one column.
    pairMaxRows(x, rows, columns, out) {
      const target = floats(out, rows);
      for (let row = 0; row < rows; row++) {
        target[row] = 0;
        pairMaxColumns(floats(x + row * columns * 4, columns), columns, 1, target.subarray(row, row + 1));
      }
    },
    pairViolationRows(q, rows, columns, flags) {
      const target = new Uint8Array(buffer, flags, rows).fill(0);
      for (let row = 0; row < rows; row++) {
        pairViolationColumns(bytes(q + row * columns, columns), columns, 1, target.subarray(row, row + 1));
      }
      return target.reduce((sum, flag) => sum + flag, 0);
    },
    transposeBytes(x, rows, columns, out) {
      const source = bytes(x, rows * columns);
      const target = bytes(out, rows * columns);
      for (let i = 0; i < source.length; i++)
        target[(i % columns) * rows + Math.floor(i / columns)] = source[i] as number;
    },
    flipSignBit(x, count) {
      const target = bytes(x, count);
      for (let i = 0; i < count; i++) target[i] = (target[i] as number) ^ 0x80;
    },
    float16ToFloat32(x, count, out) {
      const source = new Uint16Array(buffer, x, count);
      const target = floats(out, count);
      for (let i = 0; i < count; i++) target[i] = float16ToNumber(source[i] as number);
    },
  };
  return kernels;
}

const clampInt8 = (value: number): number => Math.min(127, Math.max(-128, value));

function quantizeInt8(source: Float32Array, target: Int8Array, scale: number): void {
  for (let i = 0; i < source.length; i++) target[i] = clampInt8(divide(source[i] as number, scale));
}

/** NaN when a value is NaN: Math.max says so; Math.abs keeps infinity. */
function absMax(values: Float32Array): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i] as number));
  return most;
}

function minMax(values: Float32Array): [number, number] {
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!Number.isFinite(value)) return [Number.NaN, Number.NaN];
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  return [least + 0, greatest + 0];
}

function absMaxColumns(values: Float32Array, columns: number, accumulator: Float32Array): void {
  for (let i = 0; i < values.length; i++) {
    const column = i % columns;
    accumulator[column] = Math.max(accumulator[column] as number, Math.abs(values[i] as number));
  }
}

function pairMaxColumns(values: Float32Array, rows: number, columns: number, accumulator: Float32Array): void {
  for (let row = 0; row < rows; row += 2) {
    for (let column = 0; column < columns; column++) {
      const v = values[row * columns + column] as number;
      const w = row + 1 < rows ? (values[(row + 1) * columns + column] as number) : 0;
      const positive = Math.fround(Math.max(v, 0) + Math.max(w, 0));
      const negative = Math.fround(Math.max(-v, 0) + Math.max(-w, 0));
      accumulator[column] = Math.max(accumulator[column] as number, positive, negative);
    }
  }
}

function pairViolationColumns(q: Int8Array, rows: number, columns: number, flags: Uint8Array): number {
  for (let row = 0; row < rows; row += 2) {
    for (let column = 0; column < columns; column++) {
      const v = q[row * columns + column] as number;
      const w = row + 1 < rows ? (q[(row + 1) * columns + column] as number) : 0;
      if (Math.max(v, 0) + Math.max(w, 0) > 128 || Math.max(-v, 0) + Math.max(-w, 0) > 128) flags[column] = 1;
    }
  }
  return flags.reduce((sum, flag) => sum + flag, 0);
}
