import type { Dim, Shape } from '../../../ir/index.ts';

/** Longer data are not shapes: they are not propagated. */
export const maxValues = 1024;
const maxAxes = 8;

/** Elements of a shape that is known and small; `undefined` for all others. */
export function smallCount(shape: Shape | undefined): number | undefined {
  if (!shape || shape.length > maxAxes) return undefined;
  let count = 1;
  for (const dim of shape) {
    if (typeof dim !== 'number' || dim < 0) return undefined;
    count *= dim;
    if (count > maxValues) return undefined;
  }
  return count;
}

/** Steps between neighbours along each axis of data in row order. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    strides[axis] = (strides[axis + 1] as number) * (shape[axis + 1] as number);
  }
  return strides;
}

/** For every element of `shape` in row order, `read` with its position. */
export function tabulate<T>(shape: readonly number[], read: (position: readonly number[]) => T): T[] {
  const strides = stridesOf(shape);
  const count = shape.reduce((a, b) => a * b, 1);
  return Array.from({ length: count }, (_, flat) =>
    read(shape.map((size, axis) => Math.floor(flat / (strides[axis] as number)) % size)),
  );
}

/** Reads data of one shape as if broadcast to a shape of the same or a higher rank. */
export function broadcastReader(
  values: readonly Dim[],
  shape: readonly number[],
): (position: readonly number[]) => Dim {
  const strides = stridesOf(shape);
  return (position) => {
    const offset = position.length - shape.length;
    const index = shape.reduce(
      (sum, size, axis) => sum + (size === 1 ? 0 : (position[axis + offset] as number) * (strides[axis] as number)),
      0,
    );
    return values[index] ?? null;
  };
}
