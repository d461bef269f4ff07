import type { Dim, Shape } from '../../ir/index.ts';
import { Contradiction } from './contradiction.ts';
import type { DimAlgebra } from './dim-algebra.ts';

/** Ranks past this are not spelled out. @source onnx/defs/shape_inference.h, kMaxMaterializedRank */
export const maxRank = 1024;

/** A shape of which only the rank is known. */
export const unknownDims = (rank: number): Dim[] => new Array<Dim>(rank).fill(null);

/**
 * Both say the same dimension: what each knows is put together, numbers before symbols, `target`'s symbol first.
 * @source onnx/defs/shape_inference.h, mergeInDimensionInfo
 */
export function unifyDims(target: Dim, source: Dim): Dim {
  if (typeof source === 'number') {
    if (typeof target === 'number' && target !== source)
      throw new Contradiction(`${target} and ${source} must be equal`);
    return source;
  }
  return target ?? source;
}

/** {@link unifyDims} of every dimension; both must have the same rank. */
export function unifyShapes(target: Shape, source: Shape): Dim[] {
  if (target.length !== source.length) {
    throw new Contradiction(`ranks ${target.length} and ${source.length} must be equal`);
  }
  return target.map((dim, axis) => unifyDims(dim, source[axis] as Dim));
}

/** Axis counted from the front. */
export function normalizeAxis(axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new Contradiction(`axis ${axis} is outside of [-${rank}, ${rank})`);
  }
  return axis < 0 ? axis + rank : axis;
}

/** Axes counted from the front, each at most once. */
export function normalizeAxes(axes: readonly number[], rank: number): number[] {
  const normalized = axes.map((axis) => normalizeAxis(axis, rank));
  if (new Set(normalized).size < normalized.length) throw new Contradiction(`axes [${axes.join(', ')}] repeat`);
  return normalized;
}

/**
 * Numpy broadcasting. Two different symbols, or one and an unknown, give an unknown: either could be 1.
 * @source onnx/defs/shape_inference.h, multidirectionalBroadcastShapeInference
 */
export function broadcastShapes(shapes: readonly Shape[], algebra: DimAlgebra): Dim[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const column: Dim[] = [];
    for (const shape of shapes) {
      const position = axis - rank + shape.length;
      if (position >= 0) column.push(shape[position] as Dim);
    }
    return broadcastDims(column, algebra);
  });
}

function broadcastDims(dims: readonly Dim[], algebra: DimAlgebra): Dim {
  let size = 1;
  const symbols = new Set<string | null>();
  for (const dim of dims) {
    if (typeof dim !== 'number') symbols.add(dim);
    else if (dim !== 1) {
      if (size !== 1 && size !== dim) throw new Contradiction(`${size} and ${dim} cannot be broadcast`);
      size = dim;
    }
  }
  if (size !== 1 || symbols.size === 0) return size;
  if (symbols.size === 1) return [...symbols][0] as Dim;
  // min(512, sequence) beside sequence: only where the slice lies inside are they equal, and else they do not fit.
  const inside = new Set([...symbols].map((symbol) => algebra.unclipped(symbol)));
  const [dim] = inside;
  return inside.size === 1 && dim !== undefined ? dim : null;
}

/** Product of the dimensions in [from, to). */
export const productOf = (shape: Shape, from: number, to: number, algebra: DimAlgebra): Dim =>
  shape.slice(from, to).reduce<Dim>((product, dim) => algebra.multiply(product, dim), 1);
