import type { TensorData } from '../backend/index.ts';
import { float16ToNumber } from '../foundation/index.ts';

/** How far one output is from the original's. */
export interface OutputDifference {
  readonly name: string;
  /** L2 norm of the difference over L2 norm of the original. */
  readonly relativeError: number;
  /** Cosine of the angle between both, over all elements. */
  readonly cosine: number;
  /** Part of the rows (last axis) whose largest element is at the same place; what a classifier would answer. */
  readonly sameTop: number;
  readonly elements: number;
  /** Elements that are NaN or infinite here and finite in the original. */
  readonly nonFinite: number;
}

/** The numbers of a tensor, or `undefined` for strings and types without a JavaScript form. */
export function numbersOf(tensor: TensorData): ArrayLike<number> | undefined {
  const { bytes } = tensor;
  // A copy where the offset is not aligned: typed arrays need it.
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  const { buffer, byteOffset, byteLength } = aligned;
  switch (tensor.elementType) {
    case 'float32':
      return new Float32Array(buffer, byteOffset, byteLength / 4);
    case 'float64':
      return new Float64Array(buffer, byteOffset, byteLength / 8);
    case 'float16':
      return Array.from(new Uint16Array(buffer, byteOffset, byteLength / 2), float16ToNumber);
    case 'int64':
      return Array.from(new BigInt64Array(buffer, byteOffset, byteLength / 8), Number);
    case 'int32':
      return new Int32Array(buffer, byteOffset, byteLength / 4);
    case 'uint8':
    case 'bool':
      return aligned;
    case 'int8':
      return new Int8Array(buffer, byteOffset, byteLength);
    default:
      return undefined;
  }
}

/** What a comparison adds up; sums of several runs pool into one verdict. */
export interface OutputSums {
  readonly squares: number;
  readonly otherSquares: number;
  readonly product: number;
  readonly errorSquares: number;
  readonly rows: number;
  readonly sameRows: number;
  readonly elements: number;
  readonly nonFinite: number;
}

/** Compares outputs of one run by name; outputs without numbers are left out. */
export function compareOutputs(
  original: Readonly<Record<string, TensorData>>,
  quantized: Readonly<Record<string, TensorData>>,
): Map<string, OutputSums> {
  const compared = new Map<string, OutputSums>();
  for (const [name, expected] of Object.entries(original)) {
    const actual = quantized[name];
    const a = numbersOf(expected);
    const b = actual && numbersOf(actual);
    if (a && b) compared.set(name, compareNumbers(a, b, expected.dims.at(-1) ?? 1));
  }
  return compared;
}

export function addSums(a: OutputSums, b: OutputSums): OutputSums {
  return {
    squares: a.squares + b.squares,
    otherSquares: a.otherSquares + b.otherSquares,
    product: a.product + b.product,
    errorSquares: a.errorSquares + b.errorSquares,
    rows: a.rows + b.rows,
    sameRows: a.sameRows + b.sameRows,
    elements: a.elements + b.elements,
    nonFinite: a.nonFinite + b.nonFinite,
  };
}

/** The figures that sums stand for. */
export function differenceOf(name: string, sums: OutputSums): OutputDifference {
  const { squares, otherSquares, product, errorSquares, rows, sameRows, elements, nonFinite } = sums;
  const norm = Math.sqrt(squares * otherSquares);
  return {
    name,
    relativeError: squares > 0 ? Math.sqrt(errorSquares / squares) : errorSquares > 0 ? Number.POSITIVE_INFINITY : 0,
    cosine: norm > 0 ? product / norm : squares === otherSquares ? 1 : 0,
    sameTop: rows === 0 ? 1 : sameRows / rows,
    elements,
    nonFinite,
  };
}

export function compareNumbers(a: ArrayLike<number>, b: ArrayLike<number>, width: number): OutputSums {
  let squares = 0;
  let otherSquares = 0;
  let product = 0;
  let errorSquares = 0;
  let nonFinite = a.length === b.length ? 0 : Math.max(a.length, b.length);
  for (let i = 0; i < a.length && i < b.length; i++) {
    const x = a[i] as number;
    const y = b[i] as number;
    if (!Number.isFinite(x)) continue;
    if (!Number.isFinite(y)) {
      nonFinite++;
      continue;
    }
    squares += x * x;
    otherSquares += y * y;
    product += x * y;
    errorSquares += (x - y) ** 2;
  }
  const rows = width > 0 ? Math.floor(a.length / width) : 0;
  const sameRows = countSameTop(a, b, width, rows);
  return { squares, otherSquares, product, errorSquares, rows, sameRows, elements: a.length, nonFinite };
}

function countSameTop(a: ArrayLike<number>, b: ArrayLike<number>, width: number, rows: number): number {
  let same = 0;
  for (let row = 0; row < rows; row++) if (top(a, row * width, width) === top(b, row * width, width)) same++;
  return same;
}

function top(values: ArrayLike<number>, start: number, width: number): number {
  let best = 0;
  for (let i = 1; i < width; i++) if ((values[start + i] as number) > (values[start + best] as number)) best = i;
  return best;
}
