import type { Dim, Shape, ValueType } from '../../../ir/index.ts';
import type { OperatorContext } from '../operator-context.ts';
import { allInputs, type OutputTypes, type RuleTable, shaped, shapesOf, since, tensorLike } from '../rule.ts';
import { normalizeAxes, normalizeAxis, unifyDims, unknownDims } from '../shapes.ts';

interface Cut {
  readonly starts: readonly Dim[];
  readonly ends: readonly Dim[];
  readonly axes: readonly number[];
  readonly steps: readonly number[];
}

/** Numbers in [from, to) with a step, after clamping as numpy does. @source tensor/defs.cc, processSliceInputs */
export function sliceBounds(size: number, start: number, end: number, step: number): [number, number] {
  if (size === 0) return [0, 0];
  const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);
  const wrap = (value: number): number => (value < 0 ? value + size : value);
  return step < 0
    ? [clamp(wrap(start), 0, size - 1), clamp(wrap(end), -1, size - 1)]
    : [clamp(wrap(start), 0, size), clamp(wrap(end), 0, size)];
}

/** Slice with its bounds in inputs (opset 10), or in attributes. `undefined` where they are not known. */
function readCut(op: OperatorContext, rank: number): Cut | undefined {
  const read = (index: number, name: string): readonly Dim[] | undefined =>
    op.version < 10 ? op.ints(name) : op.emulates ? op.numbers(index) : op.values(index);
  const [starts, ends] = [read(1, 'starts'), read(2, 'ends')];
  const axes = op.version < 10 ? op.ints('axes') : op.numbers(3);
  const steps = op.numbers(4);
  const isHidden = (op.hasInput(3) && !axes) || (op.hasInput(4) && !steps);
  if (!starts || !ends || isHidden) return undefined;
  if (starts.length !== ends.length) op.fail(`${starts.length} starts do not fit ${ends.length} ends`);
  const given = axes ?? starts.map((_, axis) => axis);
  if (given.length !== starts.length) op.fail(`${given.length} axes do not fit ${starts.length} starts`);
  const normalized = normalizeAxes(given, rank);
  return { starts, ends, axes: normalized, steps: steps ?? starts.map(() => 1) };
}

/** @source onnx/defs/tensor/defs.cc, Slice; tensor/old.cc for 1, 10 and 11 */
function slice(op: OperatorContext): OutputTypes {
  const shape = op.shape(0);
  if (!shape) return shaped(op, undefined);
  const cut = readCut(op, shape.length);
  if (!cut) return shaped(op, unknownDims(shape.length));
  const result = [...shape];
  cut.axes.forEach((axis, index) => {
    result[axis] = slicedDim(op, shape[axis] as Dim, cut, index);
  });
  return shaped(op, result);
}

function slicedDim(op: OperatorContext, size: Dim, { starts, ends, steps }: Cut, index: number): Dim {
  const [start, end, step] = [starts[index] as Dim, ends[index] as Dim, steps[index] as number];
  if (step === 0 || step === undefined) op.fail('a step must not be 0');
  if (typeof size === 'number' && typeof start === 'number' && typeof end === 'number') {
    const [from, to] = sliceBounds(size, start, end, step);
    return Math.max(0, Math.ceil((to - from) / step));
  }
  // Slice 10 of Python forgets to take the symbol away that it cuts from.
  if (op.emulates) return op.version === 10 ? size : null;
  return step === 1 ? symbolicLength(op, size, start, end) : null;
}

/**
 * Length of a slice with step 1 where symbols are involved. Symbols are sizes, so they count from the front; tensors
 * are taken not to end before the slice begins.
 */
function symbolicLength(op: OperatorContext, size: Dim, start: Dim, end: Dim): Dim {
  const { algebra } = op;
  const isFromBack = (bound: Dim): bound is number => typeof bound === 'number' && bound < 0;
  const isOpen = end === size || (typeof end === 'number' && end >= toTheEnd);
  if (isFromBack(start)) {
    if (isOpen) return start === -1 ? 1 : algebra.clip(size, 0, -start);
    return isFromBack(end) ? Math.max(0, end - start) : null;
  }
  if (isOpen) return algebra.subtract(size, start);
  if (isFromBack(end)) return algebra.subtract(algebra.add(size, end), start);
  return algebra.clip(size, start, end);
}

/** Exporters write a thousand million, or the largest int32 or int64, for "to the end". */
const toTheEnd = 1e9;

/** @source onnx/defs/tensor/defs.cc, Split */
function split(op: OperatorContext): OutputTypes {
  const shape = op.shape(0);
  const each = (make: (index: number) => Shape | undefined): ValueType[] =>
    op.node.outputs.map((_, index) => tensorLike(op, 0, make(index)));
  if (!shape) return each(() => undefined);
  const axis = normalizeAxis(op.int('axis', 0), shape.length);
  const size = shape[axis] as Dim;
  const resize = (dim: Dim): Dim[] => shape.map((other, index) => (index === axis ? dim : other));
  if (op.emulates && typeof size !== 'number') return each(() => resize(null));
  const isHidden = op.hasInput(1) && !op.values(1);
  if (isHidden && op.emulates) return each(() => undefined);
  const parts = isHidden ? undefined : splitSizes(op, size);
  return each((index) => resize(parts?.[index] ?? null));
}

function splitSizes(op: OperatorContext, size: Dim): readonly Dim[] {
  const given = op.hasInput(1) ? op.values(1) : op.ints('split');
  if (given) {
    if (given.length !== op.outputCount) op.fail(`${given.length} parts do not fit ${op.outputCount} outputs`);
    const total = given.reduce<Dim>((sum, part) => op.algebra.add(sum, part), 0);
    if (typeof total === 'number' && typeof size === 'number' && total !== size)
      op.fail(`parts of ${total} do not fit ${size}`);
    return given;
  }
  return evenSizes(op, size, op.int('num_outputs', op.outputCount));
}

/** Since opset 18 the last part may be smaller. */
function evenSizes(op: OperatorContext, size: Dim, count: number): readonly Dim[] {
  if (op.version >= 18 && !op.has('num_outputs')) op.fail('neither split nor num_outputs is given');
  if (count < 1) op.fail(`there cannot be ${count} outputs`);
  if (typeof size === 'number' && op.version < 18 && size % count !== 0)
    op.fail(`${size} cannot be split into ${count}`);
  const even = op.algebra.divide(size, count);
  const part = typeof size === 'number' ? Math.ceil(size / count) : even;
  const last = typeof size === 'number' ? size - Math.ceil(size / count) * (count - 1) : even;
  return op.node.outputs.map((_, index) => (index < count - 1 ? part : last));
}

/** @source onnx/defs/tensor/defs.cc, Concat; negative axes since 11 */
function concat(op: OperatorContext): OutputTypes {
  const shapes = shapesOf(op, allInputs(op));
  const first = shapes?.[0];
  if (!shapes || !first) return shaped(op, undefined);
  const axis = op.int('axis') ?? (op.version < 4 ? 1 : op.fail('attribute axis is missing'));
  if (op.emulates && op.version < 11 && axis < 0) return shaped(op, undefined);
  const joined = normalizeAxis(axis, first.length);
  if (shapes.length === 1) return shaped(op, first);
  const result = unknownDims(first.length);
  for (const shape of shapes) {
    if (shape.length !== first.length) op.fail(`ranks ${first.length} and ${shape.length} cannot be joined`);
    for (const [index, dim] of shape.entries())
      if (index !== joined) result[index] = unifyDims(result[index] as Dim, dim);
  }
  result[joined] = joinedLength(
    op,
    shapes.map((shape) => shape[joined] as Dim),
  );
  return shaped(op, result);
}

function joinedLength(op: OperatorContext, lengths: readonly Dim[]): Dim {
  if (op.emulates && !lengths.every((length) => typeof length === 'number')) return null;
  return lengths.reduce<Dim>((sum, length) => op.algebra.add(sum, length), 0);
}

export const slicingRules: RuleTable = {
  Slice: slice,
  Split: since({ 2: split }),
  Concat: since({ 4: concat }),
  Pad: since({ 2: pad }),
  CenterCropPad: cropOrPad,
};

/** @source onnx/defs/tensor/utils.cc, PadDocGenerator; tensor/old.cc, Pad 2 and 11 */
function pad(op: OperatorContext): OutputTypes {
  const shape = op.shape(0);
  if (!shape) return shaped(op, undefined);
  const axes = op.hasInput(3) ? op.numbers(3) : shape.map((_, axis) => axis);
  if (!axes) return shaped(op, op.emulates ? undefined : unknownDims(shape.length));
  const padded = normalizeAxes(axes, shape.length);
  const pads = op.version < 11 ? (op.ints('pads') ?? op.ints('paddings')) : op.values(1);
  if (!pads) return op.version < 11 ? op.fail('attribute pads is missing') : shaped(op, unknownDims(shape.length));
  if (pads.length !== 2 * padded.length) op.fail(`${pads.length} pads do not fit ${padded.length} axes`);
  // With axes, Pad 18 of Python forgets the symbols of the others.
  const rest = op.emulates && op.version >= 18 ? shape.map((dim) => (typeof dim === 'number' ? dim : null)) : shape;
  const result = [...rest];
  padded.forEach((axis, index) => {
    const total = op.algebra.add(pads[index] as Dim, pads[index + padded.length] as Dim);
    result[axis] = op.algebra.add(shape[axis] as Dim, total);
  });
  return shaped(op, result);
}

/** @source onnx/defs/tensor/defs.cc, CenterCropPad */
function cropOrPad(op: OperatorContext): OutputTypes {
  const [shape, target] = [op.shape(0), op.values(1)];
  if (!shape || !target) return shaped(op, shape && !op.emulates ? unknownDims(shape.length) : undefined);
  const axes = normalizeAxes(op.ints('axes') ?? shape.map((_, axis) => axis), shape.length);
  if (axes.length !== target.length) op.fail(`${target.length} sizes do not fit ${axes.length} axes`);
  return shaped(
    op,
    shape.map((dim, axis) => (axes.includes(axis) ? (target[axes.indexOf(axis)] as Dim) : dim)),
  );
}
