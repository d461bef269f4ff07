import { MemorySource } from '../../foundation/index.ts';
import { asymmetricUint8, createKernels, type Kernels, roundHalfEven } from '../../kernels/index.ts';
import type { WeightScheme } from '../../plan/index.ts';
import { runWeightTask, type WeightTask, weightParts } from '../weight-task.ts';
import { emptyMatrix, type Matrix, multiply, squaredDistance, squaredNorm } from './matrix.ts';

/**
 * What integer kernels make of a matrix product: uint8 activations with one scale and zero point, int8 weights. Weights
 * are quantized by the code that makes the real ones, so that they agree bit for bit; sums are exact (kernels that
 * saturate are not emulated).
 */
export type WeightGrid = Pick<WeightScheme, 'granularity' | 'range'>;

export const defaultGrid: WeightGrid = { granularity: 'channel', range: 'full' };

/** int8 values [rows, columns] on their scales. */
export interface QuantizedMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Int8Array;
  /** One for each column; the same ones where the tensor has only one. */
  readonly scales: Float32Array;
}

let shared: Kernels | undefined;

/** A weight [inputs, outputs] on its int8 grid. @throws E_NUMERIC_NAN, E_NUMERIC_INF */
export function quantizeWeight({ rows, columns, values }: Matrix, grid: WeightGrid): QuantizedMatrix {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const result: QuantizedMatrix = {
    rows,
    columns,
    values: new Int8Array(values.length),
    scales: new Float32Array(columns),
  };
  const scaleBytes = new Uint8Array(result.scales.buffer);
  shared ??= createKernels();
  runWeightTask(taskOf(rows, columns, grid), new MemorySource(bytes), shared, (part, offset, piece) => {
    if (part === weightParts.quantized)
      result.values.set(new Int8Array(piece.buffer, piece.byteOffset, piece.byteLength), offset);
    if (part === weightParts.scale) scaleBytes.set(piece, offset);
  });
  if (grid.granularity === 'tensor') result.scales.fill(result.scales[0] as number);
  return result;
}

const taskOf = (rows: number, columns: number, { granularity, range }: WeightGrid): WeightTask => ({
  name: 'weight',
  offset: 0,
  elementType: 'float32',
  rows,
  columns,
  transposed: false,
  scales: granularity === 'tensor' ? 'tensor' : 'columns',
  elementType8: 'int8',
  range,
  sameGrid: false,
  alpha: 1,
});

/** The floats that the integers stand for. */
export function dequantize({ rows, columns, values, scales }: QuantizedMatrix): Matrix {
  const result = emptyMatrix(rows, columns);
  for (let index = 0; index < values.length; index++)
    result.values[index] = (values[index] as number) * (scales[index % columns] as number);
  return result;
}

/** Rows as they are once they were quantized to uint8 over a range, which is made to include zero. */
export function throughUint8(rows: Matrix, min: number, max: number): Matrix {
  const { scale, zeroPoint } = asymmetricUint8(min, max);
  const values = rows.values.map((value) => {
    const quantized = roundHalfEven(Math.fround(value / scale)) + zeroPoint;
    return (Math.max(0, Math.min(255, quantized)) - zeroPoint) * scale;
  });
  return { ...rows, values };
}

/** ‖rows · weight − exact‖ / ‖exact‖ over all elements; 1 where something came of a product that is all zero. */
export function relativeError(exact: Matrix, rows: Matrix, weight: Matrix): number {
  const distance = squaredDistance(multiply(rows, weight), exact);
  const norm = squaredNorm(exact);
  if (distance === 0) return 0;
  return norm > 0 ? Math.sqrt(distance / norm) : 1;
}
