import { internalError } from '../foundation/index.ts';

/**
 * Signed 8-bit weights as kernels multiply activations by them: rows 2j and 2j + 1 are added in 16 bits where products
 * saturate. The last row of an odd number stands alone.
 */
export interface PairedMatrix {
  /** [rows, columns]: K × N */
  readonly values: Int8Array;
  readonly rows: number;
  readonly columns: number;
}

/**
 * Filters [O, C/g, …kernel] as one matrix [kernel · C/g, O/g] for each group. Neighbours are those of (…kernel, channel),
 * channels last, because the kernel gathers its patches so. One filter for each channel gives none: that kernel adds no
 * pairs.
 * @source research: avx2.md section 2, QLinearConv
 */
export function filterMatrices(values: Int8Array, dims: readonly number[], groups: number): PairedMatrix[] {
  const [filters = 0, channels = 0, ...kernel] = dims;
  const taps = kernel.reduce((product, size) => product * size, 1);
  if (values.length !== filters * channels * taps)
    throw internalError(`Filters [${dims}] have ${values.length} values.`);
  if (channels === 1 && filters === groups) return [];
  const columns = filters / groups;
  const rows = taps * channels;
  return Array.from({ length: groups }, (_, group) => {
    const matrix = new Int8Array(rows * columns);
    for (let column = 0; column < columns; column++) {
      const filter = (group * columns + column) * rows;
      for (let channel = 0; channel < channels; channel++)
        for (let tap = 0; tap < taps; tap++)
          matrix[(tap * channels + channel) * columns + column] = values[filter + channel * taps + tap] as number;
    }
    return { values: matrix, rows, columns };
  });
}

/** Largest sums of the positive and of the negative parts of two neighbours, over all columns. */
export interface PairSums {
  readonly positive: number;
  readonly negative: number;
}

export function pairSumsOf(matrices: readonly PairedMatrix[]): PairSums {
  let positive = 0;
  let negative = 0;
  for (const { values, rows, columns } of matrices) {
    for (let row = 0; row < rows; row += 2) {
      const [at, below] = [row * columns, (row + 1) * columns];
      for (let column = 0; column < columns; column++) {
        const v = values[at + column] as number;
        const w = values[below + column] ?? 0;
        positive = Math.max(positive, Math.max(v, 0) + Math.max(w, 0));
        negative = Math.max(negative, Math.max(-v, 0) + Math.max(-w, 0));
      }
    }
  }
  return { positive, negative };
}
