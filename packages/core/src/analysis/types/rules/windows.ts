import type { Dim, Shape } from '../../../ir/index.ts';
import type { OperatorContext } from '../operator-context.ts';

/** The sliding window of a convolution or a pool, spatial axes only. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  /** Extent of the kernel with its dilation. */
  readonly extents: readonly number[];
  /** Padding before and after each axis; `null` where it depends on a size that is not known. */
  readonly pads: readonly (readonly [number, number] | null)[];
}

/** An attribute with one number for each spatial axis. */
function perAxis(op: OperatorContext, name: string, count: number, minimum: number): readonly number[] | undefined {
  const values = op.ints(name);
  if (!values) return undefined;
  if (values.length !== count) op.fail(`${name} must have ${count} numbers, but has ${values.length}`);
  if (values.some((value) => value < minimum)) op.fail(`${name} must be at least ${minimum}`);
  return values;
}

/**
 * Reads the window of `op` over an input of the given shape. `undefined` where the kernel's size is not known.
 * @param kernelShape shape of the weights, for operators that have some
 */
export function readWindow(op: OperatorContext, input: Shape, kernelShape?: Shape): Window | undefined {
  const count = input.length - 2;
  if (count < 1) op.fail(`the input must have at least rank 3, but has ${input.length}`);
  const kernel = perAxis(op, 'kernel_shape', count, 1) ?? kernelShape?.slice(2);
  if (!kernel) op.fail('kernel_shape is missing');
  if (!kernel.every((size) => typeof size === 'number')) return undefined;
  if (kernel.length !== count) op.fail(`the weights have ${kernel.length} spatial axes, the input ${count}`);
  const dilations = perAxis(op, 'dilations', count, 1) ?? new Array<number>(count).fill(1);
  const strides = perAxis(op, 'strides', count, 1) ?? new Array<number>(count).fill(1);
  const extents = kernel.map((size, axis) => (size - 1) * (dilations[axis] as number) + 1);
  return { kernel, strides, extents, pads: readPads(op, input, strides, extents) };
}

function readPads(
  op: OperatorContext,
  input: Shape,
  strides: readonly number[],
  extents: readonly number[],
): Window['pads'] {
  const count = extents.length;
  const pads = op.ints('pads');
  if (pads) {
    if (pads.length !== 2 * count) op.fail(`pads must have ${2 * count} numbers, but has ${pads.length}`);
    return extents.map((_, axis) => [pads[axis] as number, pads[axis + count] as number]);
  }
  const mode = op.string('auto_pad', 'NOTSET');
  return extents.map((extent, axis) => {
    if (mode === 'NOTSET' || mode === 'VALID') return [0, 0];
    const total = samePadding(extent, strides[axis] as number, input[axis + 2] as Dim);
    if (total === null) return null;
    const small = Math.floor(total / 2);
    return mode === 'SAME_UPPER' ? [small, total - small] : [total - small, small];
  });
}

function samePadding(extent: number, stride: number, size: Dim): number | null {
  if (stride > 1 && typeof size !== 'number') return null;
  const residual = stride > 1 ? (size as number) % stride : 0;
  return Math.max(0, residual === 0 ? extent - stride : extent - residual);
}

/**
 * Spatial sizes of what a convolution or a pool gives.
 * @source onnx/defs/nn/defs.cc, convPoolShapeInference
 */
export function slide(op: OperatorContext, input: Shape, window: Window): Dim[] {
  const isCeiling = op.int('ceil_mode', 0) !== 0;
  return window.extents.map((extent, axis) => {
    const size = input[axis + 2] as Dim;
    const pads = window.pads[axis];
    const stride = window.strides[axis] as number;
    if (!pads) return null;
    if (typeof size !== 'number') {
      return stride === 1 && !op.emulates ? op.algebra.add(size, pads[0] + pads[1] - extent + 1) : null;
    }
    const room = size + pads[0] + pads[1] - extent;
    const steps = Math.trunc((isCeiling ? room + stride - 1 : room) / stride) + 1;
    // The last window must begin inside the input or its padding on the left.
    return isCeiling && (steps - 1) * stride >= size + pads[0] ? steps - 1 : steps;
  });
}

/** @source onnx/defs/nn/defs.cc, convTransposeShapeInference */
export function unslide(op: OperatorContext, input: Shape, window: Window): Dim[] | undefined {
  const count = window.kernel.length;
  const sizes = perAxis(op, 'output_shape', count, 0);
  if (sizes) {
    const isTooSmall = sizes.some(
      (size, axis) => typeof input[axis + 2] === 'number' && size < (input[axis + 2] as number),
    );
    return isTooSmall ? undefined : [...sizes];
  }
  const extra = perAxis(op, 'output_padding', count, 0) ?? new Array<number>(count).fill(0);
  return window.extents.map((extent, axis) => {
    const [before, after] = transposedPads(op, window, axis);
    const steps = op.algebra.add(input[axis + 2] as Dim, -1);
    const covered = op.algebra.multiply(steps, window.strides[axis] as number);
    return op.algebra.add(covered, (extra[axis] as number) + extent - before - after);
  });
}

/** A transposed convolution pads by its own sizes only, never by the input's. */
function transposedPads(op: OperatorContext, window: Window, axis: number): readonly [number, number] {
  if (op.has('pads')) return window.pads[axis] ?? [0, 0];
  const mode = op.string('auto_pad', 'NOTSET');
  if (mode === 'NOTSET' || mode === 'VALID') return [0, 0];
  const total = Math.max(0, (window.extents[axis] as number) - (window.strides[axis] as number));
  const small = Math.floor(total / 2);
  return mode === 'SAME_UPPER' ? [small, total - small] : [total - small, small];
}
