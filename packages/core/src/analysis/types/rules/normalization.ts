import { type Dim, type ElementType, elementTypeOfCode, type Shape, tensorType } from '../../../ir/index.ts';
import type { OperatorContext } from '../operator-context.ts';
import { checkRank, firstInput, type OutputTypes, type RuleTable, sameAs, since, tensorLike } from '../rule.ts';
import { normalizeAxis, unifyDims } from '../shapes.ts';

/** @source onnx/defs/nn/defs.cc, BatchNormalization 14 */
function batchNormalization(op: OperatorContext): OutputTypes {
  const shape = op.shape(0);
  let channels: Dim = shape ? (shape.length > 1 ? (shape[1] as Dim) : 1) : null;
  for (const index of [1, 2, 3, 4]) {
    checkRank(op, index, 1);
    channels = unifyDims(channels, op.shape(index)?.[0] ?? null);
  }
  const running = (index: number) => (op.outputCount > 1 ? tensorLike(op, index, [channels]) : undefined);
  return [sameAs(op, 0), running(3), running(4)];
}

/** Python copies no shape from an input without one, and then gives up the node. */
function batchNormalization14(op: OperatorContext): OutputTypes {
  const isTraining = op.int('training_mode', 0) !== 0;
  if (op.emulates && op.outputCount !== (isTraining ? 3 : 1)) op.fail(`there cannot be ${op.outputCount} outputs`);
  return batchNormalization(op);
}

/** Mean and deviation have size 1 from the axis on. @source onnx/defs/nn/defs.cc, LayerNormalization */
function layerNormalization(op: OperatorContext): OutputTypes {
  const shape = op.shape(0);
  const axis = shape && normalizeAxis(op.int('axis', -1), shape.length);
  const statistics: Shape | undefined = shape?.map((dim, other) => (other >= (axis ?? 0) ? 1 : dim));
  const stash: ElementType | undefined = elementTypeOfCode(op.int('stash_type', 1));
  return [sameAs(op, 0), tensorType(stash, statistics), tensorType(stash, statistics)];
}

function rootMeanSquare(op: OperatorContext): OutputTypes {
  const shape = op.shape(0);
  if (shape) normalizeAxis(op.int('axis', -1), shape.length);
  return firstInput(op);
}

/** The mask has the type of the data up to opset 9. @source onnx/defs/nn/old.cc, Dropout */
function dropout(op: OperatorContext): OutputTypes {
  if (op.version >= 12) for (const index of [1, 2]) if (op.hasInput(index)) checkRank(op, index, 0);
  if (op.version < 10) return [sameAs(op, 0), op.emulates ? undefined : sameAs(op, 0)];
  return [sameAs(op, 0), tensorType('bool', op.shape(0))];
}

/** Python knows nothing of these: in its eyes they are functions whose body depends on the call. */
const unknownToPython = (op: OperatorContext): OutputTypes => (op.emulates ? [] : firstInput(op));

export const normalizationRules: RuleTable = {
  BatchNormalization: since({ 6: firstInput, 14: batchNormalization14 }),
  LayerNormalization: layerNormalization,
  RMSNormalization: rootMeanSquare,
  GroupNormalization: unknownToPython,
  // In Python a function whose body loses the shape where the axes are left to their default.
  MeanVarianceNormalization: (op) => (op.emulates && !op.has('axes') ? [tensorLike(op, 0, undefined)] : firstInput(op)),
  InstanceNormalization: since({ 6: firstInput }),
  Dropout: since({ 6: dropout }),
};
