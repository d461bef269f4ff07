import { type Capability, seededRandom } from '@optimum/core';
import { floats, type Subject } from './subject.ts';

/** Sizes of tables: odd ones, and rows of a single element. */
const shapes = [
  [33, 17],
  [64, 48],
  [20, 1],
] as const;

/**
 * Lookups in a table with one scale for each row, or one for all. Nothing is computed: what comes out is off by half a
 * step of the table (254 steps of a symmetric range, 255 of an asymmetric one).
 */
export function tableSubjects({ weight }: Capability, granularity: 'row' | 'tensor'): Subject[] {
  return shapes.map(([rows, width], index) => {
    const random = seededRandom(41 + index);
    const table = Float32Array.from(
      { length: rows * width },
      (_, at) => random.normal() * (1 + Math.floor(at / width)),
    );
    const ids = [0, rows - 1, ...Array.from({ length: 7 }, () => random.integer(rows))];
    const half = halfStepsOf(table, width, weight, granularity);
    return {
      label: `Gather of ${rows}×${width}, ${granularity}`,
      inputs: [{ elementType: 'int64', dims: [3, 3], values: ids }],
      constants: { w: floats([rows, width], table) },
      body: '$y = Gather ($w, $x0)',
      outputDims: [3, 3, width],
      expected: Float64Array.from({ length: 9 * width }, (_, at) => table[lookup(ids, at, width)] as number),
      allowed: Float64Array.from(
        { length: 9 * width },
        (_, at) => (half[ids[Math.floor(at / width)] as number] as number) * (1 + 2 ** -10),
      ),
      parameters: {},
    };
  });
}

export const lookup = (ids: readonly number[], at: number, width: number): number =>
  (ids[Math.floor(at / width)] as number) * width + (at % width);

/** By row of the table. */
function halfStepsOf(table: Float32Array, width: number, weight: string, granularity: 'row' | 'tensor'): number[] {
  const rows = Array.from({ length: table.length / width }, (_, row) => table.subarray(row * width, (row + 1) * width));
  const half = (values: Float32Array): number => {
    const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
    return weight === 'uint8' ? (high - low) / 255 / 2 : Math.max(-low, high) / 127 / 2;
  };
  return granularity === 'row' ? rows.map(half) : rows.map(() => half(table));
}
