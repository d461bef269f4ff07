import type { Dim } from '../../../ir/index.ts';
import type { OperatorContext } from '../operator-context.ts';
import { checkRank, forEach, type OutputTypes, type RuleTable, since, tensorLike } from '../rule.ts';

/** All steps, last hidden state, and for LSTM the last cell state. @source onnx/defs/rnn/defs.cc, RNNShapeInference */
function recurrent(op: OperatorContext): OutputTypes {
  checkRank(op, 0, 3);
  const isBatchFirst = op.int('layout', 0) !== 0;
  const [first = null, second = null] = op.shape(0) ?? [];
  const [steps, batch] = isBatchFirst ? [second, first] : [first, second];
  const directions = { forward: 1, reverse: 1, bidirectional: 2 }[op.string('direction', 'forward')] ?? null;
  const size = op.int('hidden_size', -1);
  const hidden: Dim = size > 0 ? size : null;
  const all = isBatchFirst ? [batch, steps, directions, hidden] : [steps, directions, batch, hidden];
  const last = isBatchFirst ? [batch, directions, hidden] : [directions, batch, hidden];
  return [tensorLike(op, 0, all), tensorLike(op, 0, last), tensorLike(op, 0, last)];
}

export const recurrentRules: RuleTable = {
  ...forEach(['LSTM', 'RNN'], recurrent),
  GRU: since({ 3: recurrent }),
};
