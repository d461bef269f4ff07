import { type Dim, tensorType } from '../../../ir/index.ts';
import type { OperatorContext } from '../operator-context.ts';
import { firstInput, forEach, type OutputTypes, type RuleTable, shaped, since, tensorLike } from '../rule.ts';
import { normalizeAxis, unifyDims } from '../shapes.ts';

/** @source onnx/defs/tensor/defs.cc, Gather */
function gather(op: OperatorContext): OutputTypes {
  const [data, indices] = [op.shape(0), op.shape(1)];
  if (!data || !indices) return shaped(op, undefined);
  if (data.length === 0) op.fail('a scalar has nothing to gather');
  const axis = normalizeAxis(op.int('axis', 0), data.length);
  return shaped(op, [...data.slice(0, axis), ...indices, ...data.slice(axis + 1)]);
}

/** @source onnx/defs/tensor/defs.cc, GatherND */
function gatherPoints(op: OperatorContext): OutputTypes {
  const [data, indices] = [op.shape(0), op.shape(1)];
  if (!data || !indices) return shaped(op, undefined);
  if (data.length === 0 || indices.length === 0) op.fail('data and indices must have at least rank 1');
  const width = indices.at(-1) as Dim;
  if (typeof width !== 'number') return shaped(op, undefined);
  const used = width + op.int('batch_dims', 0);
  if (used > data.length) op.fail(`indices of ${width} do not fit rank ${data.length}`);
  return shaped(op, [...indices.slice(0, -1), ...data.slice(used)]);
}

/** @source onnx/defs/tensor/utils.cc, oneHotShapeInference */
function oneHot(op: OperatorContext): OutputTypes {
  const indices = op.shape(0);
  if (!indices) return [tensorLike(op, 2, undefined)];
  if (indices.length === 0) op.fail('indices must have at least rank 1');
  const axis = normalizeAxis(op.int('axis', -1), indices.length + 1);
  const depth = op.values(1)?.[0] ?? null;
  const size = typeof depth === 'number' ? Math.trunc(depth) : depth;
  return [tensorLike(op, 2, [...indices.slice(0, axis), size, ...indices.slice(axis)])];
}

/** @source onnx/defs/tensor/defs.cc, Compress */
function compress(op: OperatorContext): OutputTypes {
  if (!op.has('axis')) return shaped(op, [null]);
  const shape = op.shape(0);
  const axis = shape && normalizeAxis(op.int('axis', 0), shape.length);
  return shaped(
    op,
    shape?.map((dim, other) => (other === axis ? null : dim)),
  );
}

/** @source onnx/defs/tensor/defs.cc, Unique */
function unique(op: OperatorContext): OutputTypes {
  const shape = op.shape(0);
  const count = tensorType('int64', [null]);
  if (!op.has('axis')) return [tensorLike(op, 0, [null]), count, count, count];
  const axis = shape && normalizeAxis(op.int('axis', 0), shape.length);
  return [
    tensorLike(
      op,
      0,
      shape?.map((dim, other) => (other === axis ? null : dim)),
    ),
    count,
    count,
    count,
  ];
}

/** @source onnx/defs/tensor/defs.cc, TensorScatter */
function scatterUpdate(op: OperatorContext): OutputTypes {
  const [cache, update] = [op.shape(0), op.shape(1)];
  if (cache && update) {
    if (cache.length !== update.length) op.fail(`ranks ${cache.length} and ${update.length} must be equal`);
    const axis = normalizeAxis(op.int('axis', -2), cache.length);
    cache.forEach((dim, other) => other !== axis && unifyDims(dim, update[other] as Dim));
  }
  return firstInput(op);
}

function reverseSequence(op: OperatorContext): OutputTypes {
  const [shape, lengths] = [op.shape(0), op.shape(1)];
  if (op.emulates && !(shape && lengths)) return shaped(op, undefined);
  if ((shape?.length ?? 2) < 2) op.fail('the input must have at least rank 2');
  return firstInput(op);
}

export const gatheringRules: RuleTable = {
  Gather: gather,
  GatherElements: (op) => shaped(op, op.shape(1)),
  GatherND: gatherPoints,
  ...forEach(['Scatter', 'ScatterElements', 'ScatterND'], firstInput),
  TensorScatter: scatterUpdate,
  OneHot: oneHot,
  Compress: since({ 11: compress }),
  Unique: unique,
  ReverseSequence: reverseSequence,
  NonZero: (op) => [tensorType('int64', [op.shape(0)?.length ?? null, null])],
  NonMaxSuppression: () => [tensorType('int64', [null, 3])],
};
