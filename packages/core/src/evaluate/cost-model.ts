import type { CostTable, KernelShape, KernelTime } from '../backend/index.ts';

/** What two kernels are told apart by: a size that grows with the shape. */
type Axis = (shape: KernelShape) => number;

/** In the order in which they are tried: the first in which the measured points are a full grid is the kernel's own. */
const axisSystems: readonly (readonly Axis[])[] = [
  [({ rows }) => rows, ({ depth }) => depth, ({ columns }) => columns],
  [({ rows }) => rows, ({ depth, columns }) => depth * columns],
  [({ rows, depth, columns }) => rows * depth * columns],
];

/** Measured times of one kernel on a grid of shapes. */
interface Grid {
  readonly axes: readonly Axis[];
  /** Sizes along each axis, ascending. */
  readonly sizes: readonly (readonly number[])[];
  /** Logarithm of the microseconds, by the sizes. */
  readonly logTimes: ReadonlyMap<string, number>;
}

const grids = new WeakMap<CostTable, ReadonlyMap<string, Grid>>();

/**
 * Microseconds that a kernel takes at a shape; `undefined` when it was not measured. Between measured shapes the logarithm
 * of the time is linear in those of the sizes: throughput goes over smoothly from what the overhead allows to what the
 * arithmetic does. Above them throughput stays what it was, below them the time does: something is always overhead.
 * Exact at measured shapes; never falls with a size where the measured times do not. O(2^axes).
 */
export function timeOf(table: CostTable, kernel: string, shape: KernelShape): number | undefined {
  const known = grids.get(table) ?? gridsOf(table);
  grids.set(table, known);
  const grid = known.get(kernel);
  return grid && interpolate(grid, shape);
}

function gridsOf(table: CostTable): Map<string, Grid> {
  const points = new Map<string, KernelTime[]>();
  for (const time of table.kernels) points.set(time.kernel, [...(points.get(time.kernel) ?? []), time]);
  return new Map([...points].map(([kernel, times]) => [kernel, gridOf(times)]));
}

function gridOf(times: readonly KernelTime[]): Grid {
  const candidates = axisSystems.map((axes) => gridAlong(axes, times));
  const isFull = ({ sizes, logTimes }: Grid): boolean => {
    const places = sizes.reduce((product, { length }) => product * length, 1);
    const isWide = sizes.length < 3 || sizes.every(({ length }) => length > 1);
    return isWide && places === logTimes.size && logTimes.size === times.length;
  };
  return candidates.find(isFull) ?? (candidates.at(-1) as Grid);
}

const keyOf = (sizes: readonly number[]): string => sizes.join(' ');

function gridAlong(axes: readonly Axis[], times: readonly KernelTime[]): Grid {
  const logTimes = new Map<string, number>();
  for (const time of times) {
    const key = keyOf(axes.map((axis) => axis(time)));
    logTimes.set(key, Math.min(logTimes.get(key) ?? Number.POSITIVE_INFINITY, Math.log(time.microseconds)));
  }
  const sizes = axes.map((axis) => [...new Set(times.map(axis))].sort((a, b) => a - b));
  return { axes, sizes, logTimes };
}

/** Where a size lies among the measured ones. */
interface Place {
  readonly below: number;
  readonly above: number;
  /** Part of the way from the one below to the one above, in logarithms. */
  readonly part: number;
  /** How many times the largest measured size it is. */
  readonly beyond: number;
}

function placeOf(size: number, sizes: readonly number[]): Place {
  const first = sizes[0] as number;
  const last = sizes.at(-1) as number;
  // Of a single size nothing is known of the overhead: the time goes with the size.
  if (sizes.length === 1) return { below: first, above: first, part: 0, beyond: size / first };
  if (size >= last) return { below: last, above: last, part: 0, beyond: size / last };
  if (size <= first) return { below: first, above: first, part: 0, beyond: 1 };
  const upper = sizes.findIndex((measured) => measured > size);
  const [below, above] = [sizes[upper - 1] as number, sizes[upper] as number];
  return { below, above, part: Math.log(size / below) / Math.log(above / below), beyond: 1 };
}

function interpolate({ axes, sizes, logTimes }: Grid, shape: KernelShape): number {
  const places = axes.map((axis, index) => placeOf(axis(shape), sizes[index] as readonly number[]));
  const logTime = (from: number, at: readonly number[]): number => {
    const place = places[from];
    if (!place) return logTimes.get(keyOf(at)) ?? 0;
    const lower = logTime(from + 1, [...at, place.below]);
    if (place.part === 0) return lower;
    return lower + place.part * (logTime(from + 1, [...at, place.above]) - lower);
  };
  return places.reduce((us, { beyond }) => us * beyond, Math.exp(logTime(0, [])));
}

/** Time of a node that does next to nothing: what a graph pays for having one more. */
export const nodeUs = (table: CostTable): number => timeOf(table, 'relu', { rows: 1, depth: 1, columns: 1 }) ?? 0.5;

/** Time of a run in which nothing is computed. */
export const runUs = (table: CostTable): number => timeOf(table, 'run', { rows: 1, depth: 1, columns: 1 }) ?? 0;

/**
 * Microseconds of a matrix product whose weights are read between those of the whole model. The table has it with weights
 * that stay in the caches; what it takes longer when they do not is in the table for one row, and is added.
 * @param weightCount weights of the model that such products read in one run
 */
export function productTime(
  table: CostTable,
  kernel: string,
  shape: KernelShape,
  weightCount: number,
): number | undefined {
  const warmUs = timeOf(table, kernel, shape);
  if (warmUs === undefined) return undefined;
  const cold = table.kernels.find((time) => time.kernel === `${kernel}-cold`);
  return warmUs + (cold ? shape.depth * shape.columns * coldUsPerWeight(table, kernel, cold, weightCount) : 0);
}

function coldUsPerWeight(table: CostTable, kernel: string, cold: KernelTime, weightCount: number): number {
  const { rows: count, depth, columns, microseconds } = cold;
  const one = depth * columns;
  const warmUs = timeOf(table, kernel, { rows: 1, depth, columns }) ?? microseconds;
  const coldness = count > 1 ? Math.log(Math.max(1, weightCount / one)) / Math.log(count) : 1;
  return (Math.max(0, microseconds - warmUs) / one) * Math.min(1, coldness);
}
