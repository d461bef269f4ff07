import type { RowSample } from '../../backend/index.ts';
import type { TensorObservation } from '../../observe/index.ts';
import { emptyMatrix, type Matrix } from './matrix.ts';

/** What was collected for the accuracy algorithms, by tensor (see `valueIds`). */
export interface Observed {
  readonly tensors: Readonly<Record<string, TensorObservation>>;
  readonly rows: Readonly<Record<string, RowSample>>;
}

/** Rows that are kept of each tensor. */
export const sampledRowCount = 256;

/** Least and greatest value of each channel along the last axis. */
export interface ChannelRanges {
  readonly min: readonly number[];
  readonly max: readonly number[];
}

/** `undefined` where the channels were not observed, are others, or hold numbers that are none. */
export function channelRanges({ tensors }: Observed, id: string, channels: number): ChannelRanges | undefined {
  const observation = Object.hasOwn(tensors, id) ? tensors[id]?.channels : undefined;
  if (!observation || observation.min.length !== channels || observation.max.length !== channels) return undefined;
  return [...observation.min, ...observation.max].every(Number.isFinite) ? observation : undefined;
}

/**
 * The sampled rows in an order of their own, so that the order in which they were collected changes nothing, down to the
 * last bit. Rows with NaN or infinity are left out. `undefined` when none are left, or when they have another width.
 */
export function sampledRows({ rows }: Observed, id: string, width: number): Matrix | undefined {
  const sample = Object.hasOwn(rows, id) ? rows[id] : undefined;
  if (!sample || sample.width !== width || width === 0) return undefined;
  const all = Array.from({ length: Math.floor(sample.values.length / width) }, (_, row) =>
    sample.values.subarray(row * width, (row + 1) * width),
  );
  const finite = all.filter((row) => row.every(Number.isFinite));
  if (finite.length === 0) return undefined;
  const keyed = finite.map((row) => ({ row, key: hashOf(row) }));
  keyed.sort((a, b) => a.key - b.key || compare(a.row, b.row));
  const matrix = emptyMatrix(keyed.length, width);
  for (const [place, { row }] of keyed.entries()) matrix.values.set(row, place * width);
  return matrix;
}

/** FNV-1a over the bits of the numbers: rows in the order of it are as good as shuffled. */
function hashOf(row: Float32Array): number {
  let hash = 0x811c9dc5;
  for (const bits of new Uint32Array(Float32Array.from(row).buffer)) hash = Math.imul(hash ^ bits, 0x01000193);
  return hash >>> 0;
}

function compare(a: Float32Array, b: Float32Array): number {
  const place = a.findIndex((value, index) => value !== b[index]);
  return place < 0 ? 0 : (a[place] as number) - (b[place] as number);
}
