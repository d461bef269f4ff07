import { internalError } from '../foundation/index.ts';
import { isPairSafe } from './saturation.ts';
import { emitBiases } from './weight-bias.ts';
import type { RoundedWeight } from './weight-override.ts';
import { type Emit, type WeightTask, weightParts } from './weight-task.ts';

/**
 * Emits the parts of a weight whose integers and scales are given, as a weight task emits those that it finds.
 * @throws E_INTERNAL when they do not fit the task, or would saturate on a target where pairs do
 */
export function emitRounded(task: WeightTask, { values, scales, scalesAlong }: RoundedWeight, emit: Emit): void {
  const count = task.scales === 'tensor' ? 1 : task[task.scales];
  const isAlong = (task.scales === 'tensor' || task.scales === scalesAlong) && task.elementType8 !== 'int4';
  if (values.length !== task.rows * task.columns || scales.length !== count || !isAlong || task.columnsPerScale)
    throw internalError(
      `Rounded weight "${task.name}" does not fit [${task.rows}, ${task.columns}] by ${task.scales}.`,
    );
  if (task.range === 'pair-aware') requirePairSafe(task, values);
  const emitted = scales.map((scale) => scale * task.alpha);
  const isUnsigned = task.elementType8 === 'uint8';
  emit(weightParts.scale, 0, new Uint8Array(emitted.buffer));
  emit(weightParts.zeroPoint, 0, new Uint8Array(count).fill(isUnsigned ? 128 : 0));
  emitBiases(task, emitted, 0, emit);
  const bytes = Uint8Array.from(values, (value) => (isUnsigned ? value ^ 0x80 : value));
  emit(weightParts.quantized, 0, task.transposed ? transposed(bytes, task.rows, task.columns) : bytes);
}

function transposed(bytes: Uint8Array, rows: number, columns: number): Uint8Array {
  const result = new Uint8Array(bytes.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = bytes[row * columns + column] as number;
  return result;
}

function requirePairSafe(task: WeightTask, values: Int8Array): void {
  const { rows, columns, scales, channels = 1 } = task;
  const taps = columns / channels;
  const count = scales === 'columns' ? columns : rows;
  for (let index = 0; index < count; index++) {
    const along = Int8Array.from({ length: scales === 'columns' ? rows : columns }, (_, k) => {
      const inRow = (k % channels) * taps + Math.floor(k / channels);
      return values[scales === 'columns' ? k * columns + index : index * columns + inRow] as number;
    });
    if (!isPairSafe(along)) throw internalError(`Rounded weight "${task.name}" saturates in ${scales} ${index}.`);
  }
}
