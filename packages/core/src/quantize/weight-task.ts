import { type ByteSource, OptimumError } from '../foundation/index.ts';
import { asymmetricUint8, type Kernels, pairAwareScale, pairRaise, symmetricScale } from '../kernels/index.ts';
import type { TableScheme, WeightScheme } from '../plan/index.ts';
import { Arena, defaultMemoryByteLength, type Panel } from './arena.ts';

/**
 * One weight to quantize, as plain data: another thread does the same work from the same description.
 * The stored matrix is [rows, columns]; a transposed one is emitted as [columns, rows].
 */
export interface WeightTask {
  /** Name for messages. */
  readonly name: string;
  readonly offset: number;
  readonly elementType: 'float32' | 'float16' | 'bfloat16' | 'float64';
  readonly rows: number;
  readonly columns: number;
  /** The stored matrix is [N, K] and the product wants [K, N]. */
  readonly transposed: boolean;
  /** Along which stored axis the scales run: `columns`, `rows`, or one for all. */
  readonly scales: 'columns' | 'rows' | 'tensor';
  readonly elementType8: 'int8' | 'uint8';
  readonly range: WeightScheme['range'] | TableScheme['granularity'];
  /** uint8 made of the int8 grid (zero point 128) in place of an asymmetric range of its own. */
  readonly sameGrid: boolean;
  /** Factor put into the scales (alpha of Gemm). */
  readonly alpha: number;
}

/** The parts that a task emits, in this order. */
export const weightParts = { quantized: 0, scale: 1, zeroPoint: 2 } as const;

export type Emit = (part: number, offset: number, bytes: Uint8Array) => void;

/** What quantizing showed. */
export interface WeightFacts {
  /** Mean over scales of the scale against that of the full range; 1 when nothing was raised. */
  readonly scaleFactor: number;
}

/**
 * Quantizes one weight: reads it once when it fits the arena, else in panels that are read again for each pass, so
 * that memory stays fixed. @throws E_NUMERIC_INF, E_NUMERIC_NAN
 */
export function runWeightTask(
  task: WeightTask,
  source: ByteSource,
  kernels: Kernels,
  emit: Emit,
  memoryByteLength = defaultMemoryByteLength,
): WeightFacts {
  const arena = new Arena(task, source, kernels, memoryByteLength);
  const scales = task.scales === 'tensor' ? tensorScale(task, arena) : axisScales(task, arena);
  emitScales(task, arena, scales, emit);
  for (const panel of arena.panels()) emitPanel(task, arena, panel, scales, emit);
  return { scaleFactor: scales.factor };
}

interface Scales {
  /** float32, one for each row or column, or a single one. */
  readonly values: Float32Array;
  readonly zeroPoint: number;
  readonly factor: number;
}

function tensorScale(task: WeightTask, arena: Arena): Scales {
  const { kernels, scratch } = arena;
  let low = 0;
  let high = 0;
  for (const panel of arena.panels()) {
    kernels.minMax(panel.floats, panel.rows * task.columns, scratch);
    const [min = 0, max = 0] = arena.floats(scratch, 2);
    if (Number.isNaN(min)) throw notFinite(task, arena, panel);
    [low, high] = [Math.min(low, min), Math.max(high, max)];
  }
  if (task.elementType8 === 'uint8' && !task.sameGrid) {
    const { scale, zeroPoint } = asymmetricUint8(low, high);
    return { values: Float32Array.of(scale), zeroPoint, factor: 1 };
  }
  const range = task.range === 'reduced' ? 'reduced' : 'full';
  return { values: Float32Array.of(symmetricScale(Math.max(-low, high), range)), zeroPoint: 0, factor: 1 };
}

function axisScales(task: WeightTask, arena: Arena): Scales {
  const count = task[task.scales as 'rows' | 'columns'];
  const isPairAware = task.range === 'pair-aware';
  const { ranges, pairs } = axisRanges(task, arena, count, isPairAware);
  const full = symmetricScales(ranges, 'full');
  if (!isPairAware) {
    const values = task.range === 'reduced' ? symmetricScales(ranges, 'reduced') : full;
    return { values, zeroPoint: 0, factor: meanRatio(values, full) };
  }
  const values = new Float32Array(count);
  for (let index = 0; index < count; index++)
    values[index] = pairAwareScale(ranges[index] as number, pairs[index] as number);
  raiseUntilSafe(task, arena, values);
  return { values, zeroPoint: 0, factor: meanRatio(values, full) };
}

/** A loop, because a callback would box every one of the many numbers. */
function symmetricScales(ranges: Float32Array, range: 'full' | 'reduced'): Float32Array {
  const scales = new Float32Array(ranges.length);
  for (let index = 0; index < ranges.length; index++) scales[index] = symmetricScale(ranges[index] as number, range);
  return scales;
}

function axisRanges(task: WeightTask, arena: Arena, count: number, withPairs: boolean) {
  const { kernels } = arena;
  const byRows = task.scales === 'rows';
  const ranges = new Float32Array(count);
  const pairs = new Float32Array(withPairs ? count : 0);
  arena.clear(arena.accumulator, count * 8);
  const [rangeAt, pairAt] = [arena.accumulator, arena.accumulator + count * 4];
  for (const panel of arena.panels()) {
    const at = byRows ? panel.row * 4 : 0;
    if (byRows) kernels.absMaxRows(panel.floats, panel.rows, task.columns, rangeAt + at);
    else kernels.absMaxColumns(panel.floats, panel.rows, task.columns, rangeAt);
    if (withPairs && byRows) kernels.pairMaxRows(panel.floats, panel.rows, task.columns, pairAt + at);
    else if (withPairs) kernels.pairMaxColumns(panel.floats, panel.rows, task.columns, pairAt);
    const seen = byRows ? arena.floats(rangeAt + at, panel.rows) : arena.floats(rangeAt, count);
    if (!isFiniteAll(seen)) throw notFinite(task, arena, panel);
  }
  ranges.set(arena.floats(rangeAt, count));
  if (withPairs) pairs.set(arena.floats(pairAt, count));
  return { ranges, pairs };
}

/** As `every(Number.isFinite)`, which calls back for each of the many. */
function isFiniteAll(values: Float32Array): boolean {
  for (let index = 0; index < values.length; index++) if (!Number.isFinite(values[index])) return false;
  return true;
}

/** Rounding can let a pair sum to 129: those scales go up in small steps until none does. */
function raiseUntilSafe(task: WeightTask, arena: Arena, values: Float32Array): void {
  const { kernels } = arena;
  const byRows = task.scales === 'rows';
  for (let flagged = 1; flagged > 0; ) {
    arena.setScales(values);
    arena.clear(arena.flags, values.length);
    flagged = 0;
    for (const panel of arena.panels()) {
      arena.quantize(panel);
      const flags = arena.flags + (byRows ? panel.row : 0);
      if (byRows) kernels.pairViolationRows(panel.quantized, panel.rows, task.columns, flags);
      else kernels.pairViolationColumns(panel.quantized, panel.rows, task.columns, flags);
    }
    const flags = arena.bytes(arena.flags, values.length);
    for (let index = 0; index < values.length; index++) {
      if (!flags[index]) continue;
      values[index] = (values[index] as number) * pairRaise;
      flagged++;
    }
  }
}

function meanRatio(values: Float32Array, full: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += (values[index] as number) / (full[index] as number);
  return values.length > 0 ? sum / values.length : 1;
}

function emitScales(task: WeightTask, arena: Arena, scales: Scales, emit: Emit): void {
  arena.setScales(scales.values);
  arena.zeroPoint = scales.zeroPoint;
  const emitted = task.alpha === 1 ? scales.values : scales.values.map((scale) => scale * task.alpha);
  emit(weightParts.scale, 0, new Uint8Array(emitted.buffer, emitted.byteOffset, emitted.byteLength));
  const zeroPoint = task.elementType8 === 'uint8' && task.sameGrid ? 128 : scales.zeroPoint;
  emit(weightParts.zeroPoint, 0, new Uint8Array(scales.values.length).fill(zeroPoint));
}

function emitPanel(task: WeightTask, arena: Arena, panel: Panel, scales: Scales, emit: Emit): void {
  arena.quantize(panel, task.elementType8 === 'uint8' && !task.sameGrid ? scales.zeroPoint : undefined);
  const count = panel.rows * task.columns;
  if (task.sameGrid && task.elementType8 === 'uint8') arena.kernels.flipSignBit(panel.quantized, count);
  if (!task.transposed) {
    emit(weightParts.quantized, panel.row * task.columns, arena.bytes(panel.quantized, count));
    return;
  }
  arena.kernels.transposeBytes(panel.quantized, panel.rows, task.columns, panel.transposed);
  if (panel.rows === task.rows) {
    emit(weightParts.quantized, 0, arena.bytes(panel.transposed, count));
    return;
  }
  for (let column = 0; column < task.columns; column++) {
    const bytes = arena.bytes(panel.transposed + column * panel.rows, panel.rows);
    emit(weightParts.quantized, column * task.rows + panel.row, bytes);
  }
}

function notFinite(task: WeightTask, arena: Arena, panel: Panel): OptimumError {
  const values = arena.floats(panel.floats, panel.rows * task.columns);
  const index = values.findIndex((value) => !Number.isFinite(value));
  const hasNaN = Number.isNaN(values[index]);
  const [row, column] = [panel.row + Math.floor(index / task.columns), index % task.columns];
  return new OptimumError(
    hasNaN ? 'E_NUMERIC_NAN' : 'E_NUMERIC_INF',
    `Weight "${task.name}" [${task.rows}, ${task.columns}] holds ${hasNaN ? 'NaN' : 'an infinity'} at [${row}, ${column}]: it has no range to quantize.`,
    {
      hint: 'The model is damaged, or was trained past its range; --exclude the node leaves it as it is.',
      context: { weight: task.name, row, column },
    },
  );
}
