import type { Dim, Shape } from '../../../ir/index.ts';
import type { OperatorContext } from '../operator-context.ts';
import { type OutputTypes, type Rule, type RuleTable, shaped, since } from '../rule.ts';
import { broadcastShapes, normalizeAxes, normalizeAxis, productOf, unknownDims } from '../shapes.ts';
import { reshape } from './reshape.ts';

/** @source onnx/defs/nn/defs.cc, Flatten; negative axes since 11 */
function flatten(op: OperatorContext): OutputTypes {
  const shape = op.shape(0);
  if (!shape) return shaped(op, undefined);
  const rank = shape.length;
  const axis = op.int('axis', 1);
  const split = axis < 0 ? axis + rank : axis;
  if (split < 0 || split > rank || (axis < 0 && op.version < 11)) op.fail(`axis ${axis} is outside of rank ${rank}`);
  return shaped(op, [productOf(shape, 0, split, op.algebra), productOf(shape, split, rank, op.algebra)]);
}

function transpose(op: OperatorContext): OutputTypes {
  const shape = op.shape(0);
  if (!shape) return shaped(op, undefined);
  const order = op.ints('perm') ?? shape.map((_, axis) => shape.length - 1 - axis);
  const isInside = order.every((axis) => axis >= 0 && axis < shape.length);
  if (!isInside || new Set(order).size < order.length)
    op.fail(`perm [${order.join(', ')}] does not fit rank ${shape.length}`);
  return shaped(
    op,
    order.map((axis) => shape[axis] as Dim),
  );
}

/** Axes of Squeeze and Unsqueeze: an attribute before opset 13, an input since. */
const axesOf = (op: OperatorContext): readonly number[] | undefined =>
  op.version < 13 ? op.ints('axes') : op.numbers(1);

const hasAxes = (op: OperatorContext): boolean => (op.version < 13 ? op.has('axes') : op.hasInput(1));

/** @source onnx/defs/tensor/defs.cc, Squeeze */
function squeeze(op: OperatorContext): OutputTypes {
  const shape = op.shape(0);
  if (!shape) return shaped(op, undefined);
  if (!hasAxes(op)) {
    const isKnown = shape.every((dim) => typeof dim === 'number');
    return shaped(op, isKnown ? shape.filter((dim) => dim !== 1) : undefined);
  }
  const axes = axesOf(op);
  if (!axes) return shaped(op, undefined);
  const dropped = new Set(axes.map((axis) => normalizeAxis(axis, shape.length)));
  for (const axis of dropped) {
    if (typeof shape[axis] === 'number' && shape[axis] !== 1)
      op.fail(`axis ${axis} has size ${shape[axis]} and cannot go`);
  }
  return shaped(
    op,
    shape.filter((_, axis) => !dropped.has(axis)),
  );
}

/** @source onnx/defs/tensor/defs.cc, Unsqueeze */
function unsqueeze(op: OperatorContext): OutputTypes {
  const [shape, axes] = [op.shape(0), axesOf(op)];
  if (!shape || !axes) return shaped(op, undefined);
  const rank = shape.length + axes.length;
  const added = new Set(normalizeAxes(axes, rank));
  const rest = [...shape];
  return shaped(
    op,
    Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : (rest.shift() as Dim))),
  );
}

/** @source onnx/defs/math/defs.cc, Expand; math/old.cc, Expand 8 */
function expand(op: OperatorContext): OutputTypes {
  const [shape, target] = [op.shape(0), op.shape(1) && op.shapeInput(1)];
  return shaped(op, shape && target ? broadcastShapes([shape, target], op.algebra) : undefined);
}

/** @source onnx/defs/tensor/defs.cc, Tile */
function tile(op: OperatorContext): OutputTypes {
  const shape = op.shape(0);
  if (!shape) return shaped(op, undefined);
  const repeats = op.values(1);
  if (!repeats) return shaped(op, unknownDims(shape.length));
  if (repeats.length !== shape.length) op.fail(`${repeats.length} repeats do not fit rank ${shape.length}`);
  return shaped(
    op,
    shape.map((dim, axis) => {
      const isUnknown = op.emulates && typeof dim !== 'number';
      return isUnknown ? null : op.algebra.multiply(dim, repeats[axis] as Dim);
    }),
  );
}

/** Blocks of space become depth, or the other way round. @source onnx/defs/tensor/defs.cc */
const blocks =
  (change: (shape: Shape, size: number, op: OperatorContext) => Dim[]): Rule =>
  (op) => {
    const size = op.int('blocksize', 0);
    if (size <= 0) op.fail('blocksize must be positive');
    const shape = op.shape(0);
    if (shape && shape.length !== 4) op.fail(`the input must have rank 4, but has ${shape.length}`);
    return shaped(op, shape && change(shape, size, op));
  };

const spaceToDepth = blocks(([batch = null, depth = null, ...space], size, { algebra }) => [
  batch,
  algebra.multiply(depth, size * size),
  ...space.map((dim) => algebra.divide(dim, size)),
]);

const depthToSpace = blocks(([batch = null, depth = null, ...space], size, { algebra }) => [
  batch,
  algebra.divide(depth, size * size),
  ...space.map((dim) => algebra.multiply(dim, size)),
]);

export const reshapingRules: RuleTable = {
  Reshape: since({ 5: reshape }),
  Flatten: flatten,
  Transpose: transpose,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Expand: expand,
  Tile: since({ 1: (op) => shaped(op, undefined), 6: tile }),
  SpaceToDepth: spaceToDepth,
  DepthToSpace: depthToSpace,
};
