import { type Dim, type Shape, tensorType } from '../../../ir/index.ts';
import type { OperatorContext } from '../operator-context.ts';
import { forEach, type OutputTypes, type RuleTable, shaped, since, tensorLike } from '../rule.ts';
import { normalizeAxis, unknownDims } from '../shapes.ts';

/** Axes from an attribute or, since opset 13 or 18, from an input. `undefined` where the input is not known. */
function reducedAxes(op: OperatorContext): readonly number[] | undefined {
  if (op.version < 13 || !op.hasInput(1)) return op.ints('axes') ?? [];
  if (op.has('axes')) op.fail('axes are given twice, as an attribute and as an input');
  return op.numbers(1);
}

/** @source onnx/defs/reduction/utils.cc, ReduceOpGenerator */
function reduce(op: OperatorContext): OutputTypes {
  const shape = op.shape(0);
  if (!shape) return shaped(op, undefined);
  const axes = reducedAxes(op);
  const keeps = op.int('keepdims', 1) === 1;
  // Axes that cannot be read still leave the rank, where every dimension is kept.
  if (!axes) return shaped(op, keeps && !op.emulates ? unknownDims(shape.length) : undefined);
  if (axes.length === 0 && op.int('noop_with_empty_axes', 0) !== 0) return shaped(op, shape);
  const reduced = new Set(axes.map((axis) => normalizeAxis(axis, shape.length)));
  return shaped(
    op,
    withoutAxes(shape, (axis) => axes.length === 0 || reduced.has(axis), keeps),
  );
}

function withoutAxes(shape: Shape, isReduced: (axis: number) => boolean, keeps: boolean): Dim[] {
  return shape.flatMap((dim, axis) => (isReduced(axis) ? (keeps ? [1] : []) : [dim]));
}

/** ArgMax, ArgMin. */
function argReduce(op: OperatorContext): OutputTypes {
  const shape = op.shape(0);
  if (!shape) return [tensorType('int64')];
  const axis = op.has('axis') ? normalizeAxis(op.int('axis', 0), shape.length) : 0;
  return [
    tensorType(
      'int64',
      withoutAxes(shape, (other) => other === axis, op.int('keepdims', 1) === 1),
    ),
  ];
}

/** @source onnx/defs/math/utils.cc, TopKOpGenerator */
function topK(op: OperatorContext): OutputTypes {
  const shape = op.shape(0);
  if (!shape) return [tensorLike(op, 0, undefined), tensorType('int64')];
  const axis = normalizeAxis(op.int('axis', -1), shape.length);
  const count = topCount(op, shape[axis] as Dim);
  const unknown = op.emulates && count === null;
  const result = unknown ? unknownDims(shape.length) : shape.map((dim, other) => (other === axis ? count : dim));
  return [tensorLike(op, 0, result), tensorType('int64', result)];
}

function topCount(op: OperatorContext, size: Dim): Dim {
  if (op.has('k')) return op.int('k', 0);
  const count = op.values(1)?.[0] ?? null;
  if (op.emulates && typeof size !== 'number') return null;
  if (typeof count === 'number' && typeof size === 'number' && size < count)
    op.fail(`${size} elements have no top ${count}`);
  return count;
}

// biome-ignore format: one list
const reductions = [
  'ReduceL1', 'ReduceL2', 'ReduceLogSum', 'ReduceLogSumExp', 'ReduceMax', 'ReduceMean', 'ReduceMin', 'ReduceProd',
  'ReduceSum', 'ReduceSumSquare',
];

export const reductionRules: RuleTable = {
  ...forEach(reductions, reduce),
  ...forEach(['ArgMax', 'ArgMin'], argReduce),
  TopK: since({ 1: topK }),
};
