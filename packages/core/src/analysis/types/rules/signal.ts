import type { Dim, Shape } from '../../../ir/index.ts';
import type { OperatorContext } from '../operator-context.ts';
import { type OutputTypes, type RuleTable, shaped } from '../rule.ts';
import { unknownDims } from '../shapes.ts';

/** Axis of a DFT: an attribute in opset 17, an input since 20. `undefined` where the input is not known. */
function transformAxis(op: OperatorContext, rank: number): number | undefined {
  const axis = op.version < 20 ? op.int('axis', 1) : op.hasInput(2) ? op.numbers(2)?.[0] : -2;
  if (axis === undefined) return undefined;
  if (axis < -rank || axis === -1 || axis >= rank - 1) op.fail(`axis ${axis} does not fit rank ${rank}`);
  return axis < 0 ? axis + rank : axis;
}

const half = (dim: Dim): Dim => (typeof dim === 'number' ? Math.floor(dim / 2) + 1 : null);

/** @source onnx/defs/math/defs.cc, DFT */
function fourierTransform(op: OperatorContext): OutputTypes {
  const shape = op.shape(0);
  if (!shape) return shaped(op, undefined);
  if (shape.length < 2) op.fail('the input must have at least rank 2');
  const [isOneSided, isInverse] = [op.int('onesided', 0) !== 0, op.int('inverse', 0) !== 0];
  const components = isOneSided && isInverse ? 1 : 2;
  const axis = transformAxis(op, shape.length);
  const result = [...(axis === undefined && (isOneSided || op.hasInput(1)) ? unknownDims(shape.length) : shape)];
  if (axis !== undefined) result[axis] = transformedDim(op, shape[axis] as Dim, isOneSided, isInverse);
  result[shape.length - 1] = components;
  return shaped(op, result);
}

function transformedDim(op: OperatorContext, size: Dim, isOneSided: boolean, isInverse: boolean): Dim {
  if (op.hasInput(1)) {
    const length = op.values(1)?.[0] ?? null;
    return isOneSided && !isInverse ? half(length) : length;
  }
  if (!isOneSided) return size;
  return isInverse ? op.algebra.multiply(op.algebra.subtract(size, 1), 2) : half(size);
}

/** [batch, frames, bins, 2]. @source onnx/defs/math/defs.cc, STFT */
function shortTimeTransform(op: OperatorContext): OutputTypes {
  const shape = op.shape(0);
  if ((shape?.length ?? 2) < 2) op.fail('the input must have at least rank 2');
  const [size, step] = [shape?.[1], op.numbers(1)?.[0]];
  const length = op.hasInput(3) ? op.numbers(3)?.[0] : windowLength(op);
  if (!shape || typeof size !== 'number' || !step || length === undefined) return shaped(op, undefined);
  const bins = op.int('onesided', op.emulates ? 0 : 1) !== 0 ? Math.floor(length / 2) + 1 : length;
  const frames = Math.trunc((size - length) / step) + 1;
  const batch = op.emulates && typeof shape[0] !== 'number' ? null : (shape[0] as Dim);
  return shaped(op, [batch, frames, bins, 2]);
}

function windowLength(op: OperatorContext): number | undefined {
  const shape: Shape | undefined = op.shape(2);
  return typeof shape?.[0] === 'number' ? shape[0] : undefined;
}

export const signalRules: RuleTable = { DFT: fourierTransform, STFT: shortTimeTransform };
