import { type ByteSource, OptimumError } from '../foundation/index.ts';
import { asymmetricUint8, type Kernels, pairAwareScale, pairRaise, symmetricScale } from '../kernels/index.ts';
import type { TableScheme, WeightScheme } from '../plan/index.ts';
import { Arena, type Block, defaultMemoryByteLength, type Panel } from './arena.ts';
import { type BiasTask, emitBiases, raiseForBiases } from './weight-bias.ts';
import { packingEmit, steps4 } from './weight-nibbles.ts';

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
  /** Of the stored integers. */
  readonly elementType8: 'int8' | 'uint8' | 'int4';
  readonly range: WeightScheme['range'] | TableScheme['granularity'];
  /** uint8 made of the int8 grid (zero point 128) in place of an asymmetric range of its own. */
  readonly sameGrid: boolean;
  /** Factor put into the scales (alpha of Gemm). */
  readonly alpha: number;
  /**
   * Filters whose rows are [channels, taps]: pairs run in the order in which convolutions read them, all channels of a
   * tap before the next tap.
   * @source research: avx2.md section 2
   */
  readonly channels?: number;
  /** So many neighbouring columns share a scale (filters [input, output × taps] of ConvTranspose). @defaultValue 1 */
  readonly columnsPerScale?: number;
  /** Pair-aware scales are no smaller: the grid of weights that are integers already. @defaultValue 0 */
  readonly leastScale?: number;
  /** Biases that are added to the integer products of this weight. */
  readonly biases?: readonly BiasTask[];
}

/** The parts that a task emits, in this order; behind them an int32 bias and its scale for each of the task's biases. */
export const weightParts = { quantized: 0, scale: 1, zeroPoint: 2 } as const;

export type Emit = (part: number, offset: number, bytes: Uint8Array) => void;

/** What quantizing showed. */
export interface WeightFacts {
  /** Mean over scales of the scale against that of the full range; 1 when nothing was raised. */
  readonly scaleFactor: number;
}

/**
 * Quantizes one weight: reads it once when it fits the arena or has scales by row, else in panels that are read again
 * for each pass, so that memory stays fixed. @throws E_NUMERIC_INF, E_NUMERIC_NAN
 */
export function runWeightTask(
  task: WeightTask,
  source: ByteSource,
  kernels: Kernels,
  emit: Emit,
  memoryByteLength = defaultMemoryByteLength,
): WeightFacts {
  if (task.elementType8 !== 'int4') return runInPanels(task, source, kernels, emit, memoryByteLength);
  // Nibbles are packed in one piece, so the whole weight is held.
  return runInPanels(task, source, kernels, packingEmit(emit), Math.max(4, task.rows * task.columns * 4));
}

function runInPanels(
  task: WeightTask,
  source: ByteSource,
  kernels: Kernels,
  emit: Emit,
  memoryByteLength: number,
): WeightFacts {
  const arena = new Arena(task, source, kernels, memoryByteLength);
  let factors = 0;
  let count = 0;
  for (const block of arena.blocks()) {
    const scales = task.scales === 'tensor' ? tensorScale(task, arena, block) : axisScales(task, arena, block);
    const emitted = emitScales(task, arena, block, scales, emit);
    emitBiases(task, emitted, block.start, emit);
    for (const panel of block.panels()) emitPanel(task, arena, panel, scales, emit);
    factors += scales.factor * block.count;
    count += block.count;
  }
  return { scaleFactor: count > 0 ? factors / count : 1 };
}

/** The full range of 4 bits is used, as the reference does: [-8, 7] over twice the largest magnitude. */
function scaleFor({ elementType8, range }: WeightTask, largest: number): number {
  if (elementType8 === 'int4') return symmetricScale((largest * 127) / (steps4 / 2));
  return symmetricScale(largest, range === 'reduced' ? 'reduced' : 'full');
}

interface Scales {
  /** float32 in the arena: one for each row or column of the block, or a single one. */
  readonly values: Float32Array;
  readonly zeroPoint: number;
  /** Mean of the scales against those of the full range. */
  readonly factor: number;
}

function tensorScale(task: WeightTask, arena: Arena, block: Block): Scales {
  const { kernels, scratch } = arena;
  const values = arena.scales(1);
  let low = 0;
  let high = 0;
  for (const panel of block.panels()) {
    kernels.minMax(panel.floats, panel.rows * task.columns, scratch);
    const [min = 0, max = 0] = arena.floats(scratch, 2);
    if (Number.isNaN(min)) throw notFinite(task, arena, panel);
    [low, high] = [Math.min(low, min), Math.max(high, max)];
  }
  if (task.elementType8 === 'uint8' && !task.sameGrid) {
    const { scale, zeroPoint } = asymmetricUint8(low, high);
    values[0] = scale;
    return { values, zeroPoint, factor: 1 };
  }
  values[0] = scaleFor(task, Math.max(-low, high));
  raiseForBiases(task, values, Float32Array.of(Math.max(-low, high)), block.start);
  return { values, zeroPoint: 0, factor: 1 };
}

/** Loops over views of the arena: tables have hundreds of thousands of rows, and callbacks and copies would cost more. */
function axisScales(task: WeightTask, arena: Arena, block: Block): Scales {
  const { count } = block;
  const isPairAware = task.range === 'pair-aware';
  measureRanges(task, arena, block, isPairAware);
  const ranges = arena.floats(arena.accumulator, count);
  shareRanges(ranges, task.columnsPerScale ?? 1);
  const values = arena.scales(count);
  if (!isPairAware) {
    for (let index = 0; index < count; index++) values[index] = scaleFor(task, ranges[index] as number);
    raiseForBiases(task, values, ranges, block.start);
    return { values, zeroPoint: 0, factor: task.range === 'reduced' ? meanFactor(values, ranges) : 1 };
  }
  const pairs = arena.floats(arena.accumulator + count * 4, count);
  for (let index = 0; index < count; index++)
    values[index] = Math.max(task.leastScale ?? 0, pairAwareScale(ranges[index] as number, pairs[index] as number));
  raiseForBiases(task, values, ranges, block.start);
  raiseUntilSafe(task, arena, block, values);
  return { values, zeroPoint: 0, factor: meanFactor(values, ranges) };
}

/** Columns with one scale all get the range of the widest. */
function shareRanges(ranges: Float32Array, columnsPerScale: number): void {
  if (columnsPerScale === 1) return;
  for (let start = 0; start < ranges.length; start += columnsPerScale) {
    const group = ranges.subarray(start, start + columnsPerScale);
    group.fill(group.reduce((most, range) => Math.max(most, range), 0));
  }
}

/** Accumulates the range of each row or column, and behind them the largest pair sums where they are wanted. */
function measureRanges(task: WeightTask, arena: Arena, { count, panels }: Block, withPairs: boolean): void {
  const { kernels } = arena;
  const byRows = task.scales === 'rows';
  arena.clear(arena.accumulator, count * 8);
  const [rangeAt, pairAt] = [arena.accumulator, arena.accumulator + count * 4];
  for (const panel of panels()) {
    const { floats, rows } = panel;
    if (byRows) kernels.absMaxRows(floats, rows, task.columns, rangeAt);
    else kernels.absMaxColumns(floats, rows, task.columns, rangeAt);
    if (withPairs && byRows) kernels.pairMaxRows(floats, rows, task.columns, pairAt);
    else if (withPairs) kernels.pairMaxColumns(floats, rows, task.columns, pairAt);
    if (!isFiniteAll(arena.floats(rangeAt, count))) throw notFinite(task, arena, panel);
  }
}

/** As `every(Number.isFinite)`, which calls back for each of the many. */
function isFiniteAll(values: Float32Array): boolean {
  for (let index = 0; index < values.length; index++) if (!Number.isFinite(values[index])) return false;
  return true;
}

/** Rounding can let a pair sum to 129: those scales go up in small steps until none does. */
function raiseUntilSafe(task: WeightTask, arena: Arena, block: Block, values: Float32Array): void {
  const { kernels } = arena;
  const byRows = task.scales === 'rows';
  for (let flagged = 1; flagged > 0; ) {
    arena.clear(arena.flags, block.count);
    flagged = 0;
    for (const panel of block.panels()) {
      arena.quantize(panel);
      if (byRows) kernels.pairViolationRows(panel.quantized, panel.rows, task.columns, arena.flags);
      else kernels.pairViolationColumns(panel.quantized, panel.rows, task.columns, arena.flags);
    }
    const flags = arena.bytes(arena.flags, block.count);
    for (let index = 0; index < values.length; index++) {
      if (!flags[index]) continue;
      values[index] = (values[index] as number) * pairRaise;
      flagged++;
    }
  }
}

function meanFactor(values: Float32Array, ranges: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < values.length; index++)
    sum += (values[index] as number) / symmetricScale(ranges[index] as number);
  return values.length > 0 ? sum / values.length : 1;
}

/** Returns the scales as they stand in the model. */
function emitScales(
  task: WeightTask,
  arena: Arena,
  block: Block,
  { values, zeroPoint }: Scales,
  emit: Emit,
): Float32Array {
  const { alpha, columnsPerScale = 1 } = task;
  const distinct = columnsPerScale === 1 ? values : values.filter((_, index) => index % columnsPerScale === 0);
  const emitted = alpha === 1 ? distinct : distinct.map((scale) => scale * alpha);
  emit(weightParts.scale, block.start * 4, new Uint8Array(emitted.buffer, emitted.byteOffset, emitted.byteLength));
  const zeroPoints = arena.bytes(arena.flags, distinct.length);
  zeroPoints.fill(task.elementType8 === 'uint8' && task.sameGrid ? 128 : zeroPoint);
  emit(weightParts.zeroPoint, block.start, zeroPoints);
  return emitted;
}

function emitPanel(task: WeightTask, arena: Arena, panel: Panel, scales: Scales, emit: Emit): void {
  arena.quantize(panel, task.elementType8 === 'uint8' && !task.sameGrid ? scales.zeroPoint : undefined);
  const count = panel.rows * task.columns;
  if (task.sameGrid && task.elementType8 === 'uint8') arena.kernels.flipSignBit(panel.quantized, count);
  arena.restoreOrder(panel);
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
