import { type Dim, elementTypeOfCode, type Shape, tensorType } from '../../../ir/index.ts';
import type { OperatorContext } from '../operator-context.ts';
import { firstInput, forEach, type OutputTypes, type RuleTable, sameAs, shaped, tensorLike } from '../rule.ts';
import { matrixProduct, multiplyShapes } from './matrix.ts';
import { quantize } from './quantization.ts';

/** Skip normalizations: the sum comes back as output 3. */
const skipNormalization = (op: OperatorContext): OutputTypes => {
  const statistics = op.shape(0)?.map((dim, axis, shape) => (axis === shape.length - 1 ? 1 : dim));
  const output = sameAs(op, 0);
  return [output, tensorType('float32', statistics), tensorType('float32', statistics), output];
};

/** [batch, sequence, values]; the present state beside it. */
function attention(op: OperatorContext): OutputTypes {
  const [input, weights] = [op.shape(0), op.shape(1)];
  const sizes = op.ints('qkv_hidden_sizes');
  const hidden: Dim = sizes?.[2] ?? op.algebra.divide(weights?.[1] ?? null, 3);
  const output = input && [input[0] as Dim, input[1] as Dim, hidden];
  return [tensorLike(op, 0, output), op.hasInput(4) ? pastWith(op, 4, input?.[1] ?? null) : undefined];
}

/** A past state [2, batch, heads, sequence, size], grown by the new positions. */
function pastWith(op: OperatorContext, index: number, added: Dim) {
  const past = op.shape(index);
  return tensorLike(
    op,
    index,
    past?.map((dim, axis) => (axis === past.length - 2 ? op.algebra.add(dim, added) : dim)),
  );
}

function multiHeadAttention(op: OperatorContext): OutputTypes {
  const [query, value] = [op.shape(0), op.shape(2)];
  if (query?.length !== 3) return shaped(op, undefined);
  const hidden = value
    ? value.length === 3
      ? value[2]
      : op.algebra.multiply(value[1] ?? null, value[3] ?? null)
    : query[2];
  return shaped(op, [query[0] as Dim, query[1] as Dim, hidden as Dim]);
}

function groupQueryAttention(op: OperatorContext): OutputTypes {
  const past = [3, 4].map((index) =>
    op.hasInput(index)
      ? tensorLike(
          op,
          index,
          op.shape(index)?.map((dim, axis) => (axis === 2 ? null : dim)),
        )
      : undefined,
  );
  const query = op.shape(0);
  if (op.hasInput(1) || query?.length !== 3) return [sameAs(op, 0), ...past];
  // Query, key and value packed into one: what comes out has the query's share.
  const [heads, shared] = [op.int('num_heads', 1), op.int('kv_num_heads', 1)];
  const hidden = op.algebra.multiply(op.algebra.divide(query[2] as Dim, heads + 2 * shared), heads);
  return [tensorLike(op, 0, [query[0] as Dim, query[1] as Dim, hidden]), ...past];
}

function embedLayerNormalization(op: OperatorContext): OutputTypes {
  const [ids, words] = [op.shape(0), op.shape(2)];
  const output = ids && words ? [...ids, words[1] as Dim] : undefined;
  const embedding = tensorLike(op, 2, output);
  return [embedding, tensorType('int32', ids && [ids[0] as Dim]), embedding];
}

/** A x B with B stored in blocks: [.., K] gives [.., N]. */
const blockMatMul = (op: OperatorContext): OutputTypes => {
  const shape = op.shape(0);
  return shaped(op, shape && [...shape.slice(0, -1), op.int('N') ?? null]);
};

/** MatMul with its operands transposed or not. */
function fusedMatMul(op: OperatorContext): OutputTypes {
  const flip = (shape: Shape | undefined, isFlipped: boolean): Shape | undefined =>
    isFlipped && shape && shape.length > 1 ? [...shape.slice(0, -2), shape.at(-1) as Dim, shape.at(-2) as Dim] : shape;
  const [left, right] = [flip(op.shape(0), op.int('transA', 0) !== 0), flip(op.shape(1), op.int('transB', 0) !== 0)];
  return shaped(op, multiplyShapes(op, left, right));
}

const gatherBlocks = (op: OperatorContext): OutputTypes => {
  const [data, indices] = [op.shape(0), op.shape(1)];
  return [tensorLike(op, 2, data && indices && [...indices, ...data.slice(1, -1), null])];
};

/** @source onnxruntime/core/graph/contrib_ops/{bert,contrib,nhwc}_defs.cc */
export const microsoftRules: RuleTable = {
  ...forEach(
    [
      'BiasGelu',
      'BiasSplitGelu',
      'FastGelu',
      'Gelu',
      'QuickGelu',
      'RotaryEmbedding',
      'SimplifiedLayerNormalization',
      'BiasSoftmax',
      'BiasAdd',
    ],
    firstInput,
  ),
  ...forEach(['SkipLayerNormalization', 'SkipSimplifiedLayerNormalization'], skipNormalization),
  EmbedLayerNormalization: embedLayerNormalization,
  Attention: attention,
  MultiHeadAttention: multiHeadAttention,
  GroupQueryAttention: groupQueryAttention,
  MatMulNBits: blockMatMul,
  MatMulBnb4: blockMatMul,
  GatherBlockQuantized: gatherBlocks,
  FusedMatMul: fusedMatMul,
  MatMulIntegerToFloat: (op) => [tensorLike(op, 2, matrixProduct(op, 0, 1))],
  DynamicQuantizeMatMul: (op) => shaped(op, matrixProduct(op, 0, 1)),
  QuantizeLinear: quantize,
  DequantizeLinear: (op) => [tensorLike(op, 1, op.shape(0))],
  QAttention: (op) => {
    const [input, weights] = [op.shape(0), op.shape(1)];
    return [
      tensorType(
        elementTypeOfCode(1),
        input && [input[0] as Dim, input[1] as Dim, op.algebra.divide(weights?.[1] ?? null, 3)],
      ),
    ];
  },
};
