import type { RowSample } from '../backend/index.ts';
import { internalError } from '../foundation/index.ts';
import { roundHalfEven } from '../kernels/index.ts';
import type { QuantizationParameters } from '../observe/index.ts';
import { largestPair, leastPair } from './saturation.ts';
import type { PairedMatrix } from './saturation-matrices.ts';

/** What saturating kernels would do to the products of a matrix and some activations. */
export interface SaturationCount {
  readonly outputs: number;
  /** Outputs that differ from exact arithmetic. */
  readonly saturated: number;
  /** By how much at most, in units of the integer sum. */
  readonly largestLoss: number;
  /** How near the pairs that can saturate came to it: their largest sum as a part of what 16 bits hold. */
  readonly closest: number;
}

export const nothingCounted: SaturationCount = { outputs: 0, saturated: 0, largestLoss: 0, closest: 0 };

/** Float rows as the unsigned 8-bit activations that kernels multiply: what QuantizeLinear makes of them. */
export function quantizeRows(
  { width, values }: RowSample,
  parameters: QuantizationParameters | readonly QuantizationParameters[],
): Uint8Array {
  const quantized = new Uint8Array(values.length);
  for (let index = 0; index < values.length; index++) {
    const own = 'scale' in parameters ? parameters : parameters[Math.floor(index / width)];
    if (!own) throw internalError(`Row ${Math.floor(index / width)} has no quantization parameters.`);
    const steps = roundHalfEven(Math.fround((values[index] as number) / own.scale)) + own.zeroPoint;
    quantized[index] = Math.max(0, Math.min(255, steps));
  }
  return quantized;
}

/**
 * Counts exactly which outputs saturate. @param activations unsigned, [samples, matrix.rows]
 * O(samples · pairs that can saturate at all).
 */
export function countSaturation(matrix: PairedMatrix, activations: Uint8Array): SaturationCount {
  const { rows, columns } = matrix;
  if (activations.length % rows !== 0)
    throw internalError(`${activations.length} activations are no rows of ${rows} for this matrix.`);
  const samples = activations.length / rows;
  const risky = riskyPairs(matrix);
  const losses = new Int32Array(columns);
  let saturated = 0;
  let largestLoss = 0;
  let closest = 0;
  for (let sample = 0; sample < samples; sample++) {
    closest = Math.max(
      closest,
      addLosses(matrix, risky, activations.subarray(sample * rows, (sample + 1) * rows), losses),
    );
    for (let column = 0; column < columns; column++) {
      const loss = Math.abs(losses[column] as number);
      if (loss > 0) saturated++;
      if (loss > largestLoss) largestLoss = loss;
    }
    losses.fill(0);
  }
  return { outputs: samples * columns, saturated, largestLoss, closest };
}

/** Counts over the groups of a convolution, as one. */
export const sumCounts = (counts: readonly SaturationCount[]): SaturationCount =>
  counts.reduce(
    (sum, count) => ({
      outputs: sum.outputs + count.outputs,
      saturated: sum.saturated + count.saturated,
      largestLoss: Math.max(sum.largestLoss, count.largestLoss),
      closest: Math.max(sum.closest, count.closest),
    }),
    nothingCounted,
  );

/** For each even row, the columns whose pair some activation makes pass 16 bits. */
interface RiskyPairs {
  readonly columns: Uint32Array;
  /** The columns of even row 2j lie from `starts[j]` to `starts[j + 1]`. */
  readonly starts: Uint32Array;
}

function riskyPairs({ values, rows, columns }: PairedMatrix): RiskyPairs {
  const found: number[] = [];
  const starts = new Uint32Array(Math.ceil(rows / 2) + 1);
  for (let row = 0; row < rows; row += 2) {
    for (let column = 0; column < columns; column++) {
      const v = values[row * columns + column] as number;
      const w = values[(row + 1) * columns + column] ?? 0;
      const [most, least] = [Math.max(v, 0) + Math.max(w, 0), Math.min(v, 0) + Math.min(w, 0)];
      if (255 * most > largestPair || 255 * least < leastPair) found.push(column);
    }
    starts[row / 2 + 1] = found.length;
  }
  return { columns: Uint32Array.from(found), starts };
}

/** Adds to `losses` what each column of one row of activations loses. Returns how near to saturation its pairs came. */
function addLosses(
  { values, rows, columns }: PairedMatrix,
  risky: RiskyPairs,
  row: Uint8Array,
  losses: Int32Array,
): number {
  let closest = 0;
  for (let k = 0; k < rows; k += 2) {
    const [a, b] = [row[k] as number, row[k + 1] ?? 0];
    const end = risky.starts[k / 2 + 1] as number;
    for (let index = risky.starts[k / 2] as number; index < end; index++) {
      const column = risky.columns[index] as number;
      const sum = a * (values[k * columns + column] as number) + b * (values[(k + 1) * columns + column] ?? 0);
      const part = sum > 0 ? sum / largestPair : sum / leastPair;
      if (part > closest) closest = part;
      if (part > 1) losses[column] = (losses[column] as number) + (sum > 0 ? largestPair : leastPair) - sum;
    }
  }
  return closest;
}
