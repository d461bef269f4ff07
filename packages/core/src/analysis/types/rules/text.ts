import { type Dim, tensorType } from '../../../ir/index.ts';
import type { OperatorContext } from '../operator-context.ts';
import { type OutputTypes, type RuleTable, withElement } from '../rule.ts';

/** @source onnx/defs/text/defs.cc, StringNormalizer */
function normalize(op: OperatorContext): OutputTypes {
  const shape = op.shape(0);
  if (!shape) return [tensorType('string')];
  if (shape.length === 1) return [tensorType('string', [null])];
  if (shape.length !== 2 || shape[0] !== 1) op.fail('the input must be [words] or [1, words]');
  return [tensorType('string', [1, null])];
}

function splitStrings(op: OperatorContext): OutputTypes {
  const shape = op.shape(0);
  if (!shape) return op.emulates ? [] : [tensorType('string'), tensorType('int64')];
  return [tensorType('string', [...shape, null]), tensorType('int64', shape)];
}

/** @source onnx/defs/nn/defs.cc, TfIdfVectorizer */
function termFrequencies(op: OperatorContext): OutputTypes {
  const shape = op.shape(0);
  if (!shape) return [tensorType('float32')];
  const indexes = op.ints('ngram_indexes') ?? [];
  if (indexes.length === 0 || indexes.some((index) => index < 0))
    op.fail('ngram_indexes must not be empty or negative');
  if (shape.length !== 1 && shape.length !== 2) op.fail('the input must have rank 1 or 2');
  const width = indexes.reduce((a, b) => Math.max(a, b), 0) + 1;
  return [tensorType('float32', [...shape.slice(0, -1), width])];
}

/** Images come as [height, width, channels]. */
const decodeImage = (): OutputTypes => [tensorType('uint8', [null, null, null] satisfies Dim[])];

export const textRules: RuleTable = {
  StringNormalizer: normalize,
  StringSplit: splitStrings,
  RegexFullMatch: withElement('bool'),
  TfIdfVectorizer: termFrequencies,
  ImageDecoder: decodeImage,
};
