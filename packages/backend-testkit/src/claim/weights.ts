import type { Capability, Random, WeightScheme } from '@optimum/core';

/** Whole numbers as a matrix [rows, columns], K × N, in the order in which kernels add neighbours. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

/** Random weights of trained layers' kind: normal, each column with a size of its own. */
export function normalMatrix(rows: number, columns: number, random: Random): Matrix {
  const sizes = Array.from({ length: columns }, () => 0.02 + 0.06 * random.next());
  const values = Float32Array.from({ length: rows * columns }, (_, at) => random.normal() * (sizes[at % columns] ?? 1));
  return { rows, columns, values };
}

type Pair = readonly [number, number];

/** Neighbours along K whose positive and negative parts sum to 128 at most: the worst that the pair rule lets through. */
const safePairs: readonly Pair[] = [
  [127, -127],
  [-127, 127],
  [64, 64],
  [-64, -64],
  [127, 1],
  [-1, -127],
];
/** Neighbours whose products pass 16 bits with activations of 255. */
const unsafePairs: readonly Pair[] = [
  [127, 127],
  [-127, -127],
  [127, 120],
  [127, -127],
];

export type PairKind = 'safe' | 'unsafe';

/** Pairs down each column, the first of which has the full range, so that the scale of every column is 1. */
export function pairedMatrix(rows: number, columns: number, kind: PairKind, random: Random): Matrix {
  const pairs = kind === 'safe' ? safePairs : unsafePairs;
  const values = new Float32Array(rows * columns);
  for (let column = 0; column < columns; column++)
    for (let row = 0; row < rows; row += 2) {
      const [v, w] = (row === 0 ? pairs[0] : random.pick(pairs)) as Pair;
      values[row * columns + column] = v;
      if (row + 1 < rows) values[(row + 1) * columns + column] = w;
    }
  return { rows, columns, values };
}

/**
 * Both ends of the unsigned grid around 128, in every column: scale 1, zero point 128. Matrices are stored on the grid of
 * int8, filters on a range of their own, which reaches one step further down.
 */
export function unsignedMatrix(rows: number, columns: number, isOwnRange: boolean, random: Random): Matrix {
  const least = isOwnRange ? -128 : -127;
  const values = Float32Array.from({ length: rows * columns }, (_, at) =>
    at < columns ? least : at < 2 * columns ? 127 : random.pick([least, 127, 126, -1]),
  );
  return { rows, columns, values };
}

/**
 * Half a step of the weights of each column: how far one can be from its float. A symmetric range [-m, m] in 8 bits has
 * 254 steps, and so have unsigned matrices; unsigned filters have a range of their own with 255; pair-aware columns go up to 7 bits (128 steps), and are raised
 * by a few times 0.2 % when rounding asks for it.
 */
export function halfSteps(matrix: Matrix, { op, weight }: Capability, scheme: WeightScheme): Float64Array {
  const { rows, columns, values } = matrix;
  const low = new Float64Array(columns);
  const high = new Float64Array(columns);
  for (let at = 0; at < rows * columns; at++) {
    const column = at % columns;
    low[column] = Math.min(low[column] as number, values[at] as number);
    high[column] = Math.max(high[column] as number, values[at] as number);
  }
  if (scheme.granularity === 'tensor') {
    low.fill(Math.min(...low));
    high.fill(Math.max(...high));
  }
  return low.map((least, column) => {
    const most = high[column] as number;
    if (weight === 'uint8' && op === 'Conv') return (most - least) / 255 / 2;
    const largest = Math.max(-least, most);
    return scheme.range === 'pair-aware' ? (1.02 * largest) / 64 / 2 : largest / 127 / 2;
  });
}
