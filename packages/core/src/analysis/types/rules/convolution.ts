import { type Dim, tensorType } from '../../../ir/index.ts';
import type { OperatorContext } from '../operator-context.ts';
import { checkRank, forEach, type OutputTypes, type Rule, type RuleTable, shaped, since, tensorLike } from '../rule.ts';
import { unifyDims } from '../shapes.ts';
import { readWindow, slide, unslide } from './windows.ts';

/** Shape of a convolution of input 0 with the weights in `weights`. */
function convolved(op: OperatorContext, weights: number): Dim[] | undefined {
  const [input, kernel] = [op.shape(0), op.shape(weights)];
  if (!input || !kernel) return undefined;
  const window = readWindow(op, input, kernel);
  return window && [input[0] as Dim, kernel[0] as Dim, ...slide(op, input, window)];
}

const convolution: Rule = (op) => shaped(op, convolved(op, 1));

function transposedConvolution(op: OperatorContext): OutputTypes {
  const [input, kernel] = [op.shape(0), op.shape(1)];
  if (!input || !kernel) return shaped(op, undefined);
  const window = readWindow(op, input, kernel);
  const sizes = window && unslide(op, input, window);
  const channels = op.algebra.multiply(kernel[1] as Dim, op.int('group', 1));
  return shaped(op, window && [input[0] as Dim, channels, ...(sizes ?? [])]);
}

/** Pools keep the channels; a second output, of MaxPool, has the positions. */
function pool(op: OperatorContext): OutputTypes {
  const input = op.shape(0);
  const window = input && readWindow(op, input);
  const shape = input && window && [input[0] as Dim, input[1] as Dim, ...slide(op, input, window)];
  return op.outputCount > 1 ? [tensorLike(op, 0, shape), tensorType('int64', shape)] : shaped(op, shape);
}

/** @source onnx/defs/nn/defs.cc, globalPoolTypeShapeInference */
function globalPool(op: OperatorContext): OutputTypes {
  const shape = op.shape(0);
  if (!shape || shape.length < 2) return shaped(op, undefined);
  return shaped(
    op,
    shape.map((dim, axis) => (axis < 2 ? dim : 1)),
  );
}

/** @source onnx/defs/nn/defs.cc, maxUnpoolShapeInference */
function unpool(op: OperatorContext): OutputTypes {
  const [input, indices] = [op.shape(0), op.shape(1)];
  if (!input || !indices) return shaped(op, undefined);
  const window = readWindow(op, input);
  if (op.hasInput(2)) return shaped(op, op.emulates ? undefined : op.values(2));
  return shaped(op, window && [input[0] as Dim, indices[1] as Dim, ...(unslide(op, input, window) ?? [])]);
}

/** @source onnx/defs/object_detection/defs.cc, RoiAlign */
function alignRegions(op: OperatorContext): OutputTypes {
  [4, 2, 1].forEach((rank, index) => checkRank(op, index, rank));
  const regions = unifyDims(op.shape(1)?.[0] ?? null, op.shape(2)?.[0] ?? null);
  return shaped(op, [regions, op.shape(0)?.[1] ?? null, op.int('output_height', 1), op.int('output_width', 1)]);
}

/** @source onnx/defs/nn/defs.cc, roiPoolTypeShapeInference */
function poolRegions(op: OperatorContext): OutputTypes {
  const [input, regions] = [op.shape(0), op.shape(1)];
  if (!input || !regions) return shaped(op, undefined);
  checkRank(op, 0, 4);
  checkRank(op, 1, 2);
  const size = op.ints('pooled_shape');
  if (size?.length !== 2) op.fail('pooled_shape must have two numbers');
  return shaped(op, [regions[0] as Dim, input[1] as Dim, ...size]);
}

const maxSpatialAxes = 64;

/** How many spatial axes there are: every list of Col2Im says it. */
function spatialAxes(op: OperatorContext): Dim {
  const lengths: Dim[] = [op.shape(1)?.[0] ?? null, op.shape(2)?.[0] ?? null];
  for (const index of [1, 2]) lengths.push(op.values(index)?.length ?? null);
  for (const name of ['dilations', 'strides']) lengths.push(op.ints(name)?.length ?? null);
  const pads = op.ints('pads');
  return [...lengths, pads ? pads.length / 2 : null].reduce(unifyDims, null);
}

/** @source onnx/defs/nn/defs.cc, col2imShapeInference */
function columnsToImage(op: OperatorContext): OutputTypes {
  const input = op.shape(0);
  const count = spatialAxes(op);
  if (!input || typeof count !== 'number' || count > maxSpatialAxes) return shaped(op, undefined);
  checkRank(op, 0, 3);
  const [image, block] = [op.values(1), op.numbers(2)];
  const area = block?.reduce((a, b) => a * b, 1) ?? null;
  const batch = op.emulates && typeof input[0] !== 'number' ? null : (input[0] as Dim);
  const channels = area ? op.algebra.divide(input[1] as Dim, area) : null;
  return shaped(op, [batch, channels, ...(image ?? new Array<Dim>(count).fill(null))]);
}

export const convolutionRules: RuleTable = {
  ...forEach(['Conv', 'DeformConv'], convolution),
  ConvInteger: (op) => [tensorType('int32', convolved(op, 1))],
  QLinearConv: (op) => [tensorLike(op, 7, convolved(op, 3))],
  ConvTranspose: transposedConvolution,
  ...forEach(['AveragePool', 'MaxPool'], pool),
  LpPool: since({ 2: pool }),
  ...forEach(['GlobalAveragePool', 'GlobalMaxPool'], globalPool),
  GlobalLpPool: since({ 2: globalPool }),
  MaxUnpool: unpool,
  RoiAlign: alignRegions,
  MaxRoiPool: poolRegions,
  Col2Im: columnsToImage,
  GridSample: gridSample,
};

/** @source onnx/defs/tensor/utils.cc, gridSampleShapeInference */
function gridSample(op: OperatorContext): OutputTypes {
  const [input, grid] = [op.shape(0), op.shape(1)];
  if (!input || !grid) return shaped(op, undefined);
  if (input.length !== grid.length || input.length < 3) op.fail('input and grid must have the same rank, at least 3');
  return shaped(op, [unifyDims(input[0] as Dim, grid[0] as Dim), input[1] as Dim, ...grid.slice(1, -1)]);
}
