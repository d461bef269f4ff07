import type { Dim, Shape } from '../../../ir/index.ts';
import type { OperatorContext } from '../operator-context.ts';
import { checkRank, type OutputTypes, type RuleTable, sameAs, shaped, tensorLike } from '../rule.ts';
import { unifyDims } from '../shapes.ts';

/** @source onnx/defs/math/defs.cc, NegativeLogLikelihoodLoss */
function negativeLogLikelihood(op: OperatorContext): OutputTypes {
  const [input, target] = [op.shape(0), op.shape(1)];
  if (!input || !target) return shaped(op, undefined);
  if (input.length < 2) op.fail('the input must have at least rank 2');
  checkRank(op, 1, input.length - 1);
  const rest: Shape = [input[0] as Dim, ...input.slice(2)];
  const losses = target.map((dim, axis) => unifyDims(dim, rest[axis] as Dim));
  return shaped(op, op.string('reduction', 'mean') === 'none' ? losses : []);
}

/** @source onnx/defs/math/defs.cc, SoftmaxCrossEntropyLoss */
function crossEntropy(op: OperatorContext): OutputTypes {
  const isWhole = op.string('reduction', 'mean') !== 'none';
  return [tensorLike(op, 0, isWhole ? [] : op.shape(1)), sameAs(op, 0)];
}

/**
 * Optimizers get rate and step, then `groups` lists of tensors, and give some of the lists back, updated.
 * @source onnx/defs/training/defs.cc
 */
const optimizer =
  (groups: number, updated: readonly number[]) =>
  (op: OperatorContext): OutputTypes => {
    const count = Math.floor((op.inputCount - 2) / groups);
    return updated.flatMap((group) =>
      Array.from({ length: count }, (_, index) => sameAs(op, 2 + group * count + index)),
    );
  };

export const lossRules: RuleTable = {
  NegativeLogLikelihoodLoss: negativeLogLikelihood,
  SoftmaxCrossEntropyLoss: crossEntropy,
};

export const trainingRules: RuleTable = {
  Adagrad: optimizer(3, [0, 2]),
  Adam: optimizer(4, [0, 2, 3]),
  Momentum: optimizer(3, [0, 2]),
};
