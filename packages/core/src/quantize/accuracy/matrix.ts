/** A dense matrix, row by row, in float32. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

export const emptyMatrix = (rows: number, columns: number): Matrix => ({
  rows,
  columns,
  values: new Float32Array(rows * columns),
});

/** a[rows, inner] · b[inner, columns], summed in float64. O(rows · inner · columns). */
export function multiply(a: Matrix, b: Matrix): Matrix {
  const product = emptyMatrix(a.rows, b.columns);
  const sums = new Float64Array(b.columns);
  for (let row = 0; row < a.rows; row++) {
    sums.fill(0);
    addRow(sums, a.values.subarray(row * a.columns, (row + 1) * a.columns), b.values);
    product.values.set(sums, row * b.columns);
  }
  return product;
}

/** Adds row · b. Four rows of b at a time: sums are then read and written a quarter as often, which is what costs. */
function addRow(sums: Float64Array, row: Float32Array, b: Float32Array): void {
  const columns = sums.length;
  let inner = 0;
  for (; inner + 3 < row.length; inner += 4) {
    const [f0, f1, f2, f3] = [row[inner], row[inner + 1], row[inner + 2], row[inner + 3]] as [
      number,
      number,
      number,
      number,
    ];
    const [p0, p1, p2, p3] = [
      inner * columns,
      (inner + 1) * columns,
      (inner + 2) * columns,
      (inner + 3) * columns,
    ] as const;
    for (let column = 0; column < columns; column++)
      sums[column] =
        (sums[column] as number) +
        f0 * (b[p0 + column] as number) +
        f1 * (b[p1 + column] as number) +
        f2 * (b[p2 + column] as number) +
        f3 * (b[p3 + column] as number);
  }
  for (; inner < row.length; inner++) {
    const factor = row[inner] as number;
    for (let column = 0; column < columns; column++)
      sums[column] = (sums[column] as number) + factor * (b[inner * columns + column] as number);
  }
}

/** aᵀ · a / rows, [columns, columns], summed in float64. */
export function gram({ rows, columns, values }: Matrix): Matrix {
  const sums = new Float64Array(columns * columns);
  for (let row = 0; row < rows; row++) {
    const line = values.subarray(row * columns, (row + 1) * columns);
    for (let i = 0; i < columns; i++) {
      const factor = (line[i] as number) / rows;
      if (factor === 0) continue;
      for (let j = 0; j < columns; j++)
        sums[i * columns + j] = (sums[i * columns + j] as number) + factor * (line[j] as number);
    }
  }
  return { rows: columns, columns, values: Float32Array.from(sums) };
}

/** Sum over all elements of (a - b)². */
export function squaredDistance(a: Matrix, b: Matrix): number {
  let sum = 0;
  for (let index = 0; index < a.values.length; index++) {
    const difference = (a.values[index] as number) - (b.values[index] as number);
    sum += difference * difference;
  }
  return sum;
}

export function squaredNorm({ values }: Matrix): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}

/** Mean of each column. */
export function columnMeans({ rows, columns, values }: Matrix): Float64Array {
  const means = new Float64Array(columns);
  for (let index = 0; index < values.length; index++)
    means[index % columns] = (means[index % columns] as number) + (values[index] as number) / rows;
  return means;
}

/** The columns with these numbers. */
export function pickColumns(matrix: Matrix, picked: readonly number[]): Matrix {
  const { rows, columns, values } = matrix;
  const result = emptyMatrix(rows, picked.length);
  for (let row = 0; row < rows; row++) {
    for (let place = 0; place < picked.length; place++)
      result.values[row * picked.length + place] = values[row * columns + (picked[place] as number)] as number;
  }
  return result;
}

export const pickRows = ({ columns, values }: Matrix, picked: readonly number[]): Matrix => {
  const result = emptyMatrix(picked.length, columns);
  picked.forEach((row, place) => {
    result.values.set(values.subarray(row * columns, (row + 1) * columns), place * columns);
  });
  return result;
};

/** The rows to fit to, and those to check on. */
export function halves({ rows, columns, values }: Matrix): { readonly fitted: Matrix; readonly held: Matrix } {
  const half = Math.floor(rows / 2);
  return {
    fitted: { rows: half, columns, values: values.subarray(0, half * columns) },
    held: { rows: rows - half, columns, values: values.subarray(half * columns) },
  };
}

/** At most `count` whole numbers below `size`, evenly spread. */
export const spread = (size: number, count: number): number[] =>
  Array.from({ length: Math.min(size, count) }, (_, place) => Math.floor((place * size) / Math.min(size, count)));
