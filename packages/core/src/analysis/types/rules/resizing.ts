import type { Dim, Shape } from '../../../ir/index.ts';
import type { OperatorContext } from '../operator-context.ts';
import { type OutputTypes, type RuleTable, shaped, since } from '../rule.ts';
import { normalizeAxes, unknownDims } from '../shapes.ts';

const scaled = (dim: Dim, scale: number): Dim =>
  typeof dim === 'number' ? Math.floor(dim * scale) : scale === 1 ? dim : null;

/** Scales, one for each axis. @source tensor/utils.cc, resizeShapeInferenceHelper_opset7_to_10 */
function scaleAll(op: OperatorContext, shape: Shape, scales: readonly number[]): Dim[] {
  if (scales.length !== shape.length) op.fail(`${scales.length} scales do not fit rank ${shape.length}`);
  return shape.map((dim, axis) => {
    const scale = scales[axis] as number;
    return op.emulates && typeof dim !== 'number' ? null : scaled(dim, scale);
  });
}

/** Upsample, and Resize 10, know only scales. */
function upsample(op: OperatorContext): OutputTypes {
  const shape = op.shape(0);
  if (!shape) return shaped(op, undefined);
  const scales = op.version < 9 ? floatsOf(op, 'scales') : op.numbers(1);
  return shaped(op, scales ? scaleAll(op, shape, scales) : unknownDims(shape.length));
}

function floatsOf(op: OperatorContext, name: string): readonly number[] | undefined {
  const attribute = op.attribute(name);
  return attribute?.type === 'floats' ? attribute.value : undefined;
}

/** @source onnx/defs/tensor/utils.cc, resizeShapeInferenceVersioned */
function resize(op: OperatorContext): OutputTypes {
  const shape = op.shape(0);
  if (!shape) return shaped(op, undefined);
  const axes = normalizeAxes(op.ints('axes') ?? shape.map((_, axis) => axis), shape.length);
  const sizes = op.hasInput(3) ? readSizes(op) : undefined;
  if (sizes && sizes.length > 0) return shaped(op, sizeAxes(op, shape, axes, sizes));
  const scales = op.hasInput(2) ? op.numbers(2) : undefined;
  if (!scales || scales.length === 0) return shaped(op, unknownDims(shape.length));
  if (scales.length !== axes.length) op.fail(`${scales.length} scales do not fit ${axes.length} axes`);
  return shaped(
    op,
    scaleAll(
      op,
      shape,
      shape.map((_, axis) => (axes.includes(axis) ? (scales[axes.indexOf(axis)] as number) : 1)),
    ),
  );
}

/** Python refuses sizes of which not even the number is known. */
const readSizes = (op: OperatorContext): readonly Dim[] | undefined =>
  op.shapeInput(3) ?? (op.emulates ? op.fail('the sizes are not known') : undefined);

function sizeAxes(op: OperatorContext, shape: Shape, axes: readonly number[], sizes: readonly Dim[]): Dim[] {
  if (sizes.length !== axes.length) op.fail(`${sizes.length} sizes do not fit ${axes.length} axes`);
  const fitted = keepAspectRatio(
    op,
    axes.map((axis) => shape[axis] as Dim),
    sizes,
  );
  return shape.map((dim, axis) => {
    const index = axes.indexOf(axis);
    const size = index < 0 ? dim : (fitted[index] as Dim);
    return op.emulates && (typeof size !== 'number' || size <= 0) ? null : size;
  });
}

/** @source onnx/defs/tensor/utils.cc, KeepAspectRatioHelper */
function keepAspectRatio(op: OperatorContext, dims: readonly Dim[], sizes: readonly Dim[]): readonly Dim[] {
  const policy = op.string('keep_aspect_ratio_policy', 'stretch');
  if (policy === 'stretch') return sizes;
  const scales: number[] = [];
  for (const [index, dim] of dims.entries()) {
    const size = sizes[index] as Dim;
    if (typeof dim !== 'number' || typeof size !== 'number') return unknownDims(dims.length);
    scales.push(size / dim);
  }
  const scale = policy === 'not_larger' ? Math.min(...scales) : Math.max(...scales);
  return dims.map((dim) => Math.floor(scale * (dim as number) + 0.5));
}

/** @source onnx/defs/tensor/defs.cc, AffineGrid */
function affineGrid(op: OperatorContext): OutputTypes {
  const size = op.shape(0) && op.shapeInput(1);
  if (!size) return shaped(op, undefined);
  if (size.length !== 4 && size.length !== 5) op.fail(`size must have 4 or 5 numbers, but has ${size.length}`);
  return shaped(op, [size[0] as Dim, ...size.slice(2), size.length - 2]);
}

export const resizingRules: RuleTable = {
  Resize: since({ 10: upsample, 11: resize }),
  Upsample: since({ 7: upsample }),
  AffineGrid: affineGrid,
};
