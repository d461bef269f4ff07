import { type Dim, type Shape, tensorType } from '../../../ir/index.ts';
import type { OperatorContext } from '../operator-context.ts';
import { firstInput, type OutputTypes, type RuleTable, tensorLike } from '../rule.ts';
import { unifyDims } from '../shapes.ts';

/** Sizes of one call of Attention; queries and keys are [batch, sequence, hidden] or [batch, heads, sequence, size]. */
interface Sizes {
  readonly batch: Dim;
  readonly heads: Dim;
  readonly query: Dim;
  readonly keys: Dim;
  /** The output's shape. */
  readonly output: Shape;
}

/**
 * Python takes a size that is not known for 0, which goes into the products.
 * @source onnx/defs/nn/utils.cc, AttentionPropagateElemTypeFromInputToOutput
 */
const sizeOf = (op: OperatorContext, dim: Dim): Dim => (op.emulates && typeof dim !== 'number' ? 0 : dim);

function attention(op: OperatorContext): OutputTypes {
  const sizes = readSizes(op);
  const element = op.element(0);
  const total = op.hasInput(4) ? joined(op, sizes?.keys ?? null, op.shape(4)?.[2] ?? null) : (sizes?.keys ?? null);
  const scores: Shape | undefined = sizes && [
    sizes.batch,
    sizes.heads,
    sizes.query,
    total ?? (op.emulates ? sizes.keys : null),
  ];
  return [
    tensorType(element, sizes?.output),
    present(op, 4, total),
    present(op, 5, total),
    tensorType(element, scores),
  ];
}

/** Keys and values of before and now: only known sizes above 0 are added in Python. */
function joined(op: OperatorContext, now: Dim, past: Dim): Dim {
  if (op.emulates && (typeof now !== 'number' || now <= 0 || typeof past !== 'number')) return null;
  return op.algebra.add(past, now);
}

function present(op: OperatorContext, index: 4 | 5, total: Dim): OutputTypes[number] {
  if (op.hasInput(index)) {
    const past = op.shape(index);
    if (past && past.length !== 4) op.fail(`input ${index} must have rank 4`);
    const isKnown = past && (!op.emulates || total !== null);
    return tensorLike(op, index, isKnown ? past.map((dim, axis) => (axis === 2 ? total : dim)) : undefined);
  }
  return op.emulates ? undefined : tensorLike(op, 0, firstCache(op, index));
}

/** Without a past, what is kept are the keys and values themselves: [batch, heads, sequence, size]. */
function firstCache(op: OperatorContext, index: 4 | 5): Shape | undefined {
  const shape = op.shape(index - 3);
  if (shape?.length !== 3) return shape;
  const heads = op.int('kv_num_heads', 0);
  return [shape[0] as Dim, heads, shape[1] as Dim, op.algebra.divide(shape[2] as Dim, heads)];
}

function readSizes(op: OperatorContext): Sizes | undefined {
  const [query, , value] = [0, 1, 2].map((index) => inputShape(op, index));
  if (!query || !value || query.length !== value.length) return undefined;
  const [batch, second] = query as [Dim, Dim];
  if (query.length === 4) {
    const length = query[2] as Dim;
    return {
      batch,
      heads: second,
      query: length,
      keys: sizeOf(op, value[2] as Dim),
      output: [batch, second, length, value[3] as Dim],
    };
  }
  const [queryHeads, keyHeads] = [op.int('q_num_heads', 0), op.int('kv_num_heads', 0)];
  if (queryHeads <= 0 || keyHeads <= 0) op.fail('q_num_heads and kv_num_heads must be positive');
  const headSize = op.algebra.divide(sizeOf(op, value[2] as Dim), keyHeads);
  const hidden = op.algebra.multiply(headSize, queryHeads);
  return {
    batch,
    heads: queryHeads,
    query: second,
    keys: sizeOf(op, value[1] as Dim),
    output: [batch, second, hidden],
  };
}

function inputShape(op: OperatorContext, index: number): Shape | undefined {
  const shape = op.shape(index);
  if (shape && shape.length !== 3 && shape.length !== 4) op.fail(`input ${index} must have rank 3 or 4`);
  return shape;
}

/** @source onnx/defs/nn/defs.cc, RotaryEmbedding */
function rotaryEmbedding(op: OperatorContext): OutputTypes {
  const rank = op.shape(0)?.length;
  if (rank !== undefined && rank !== 3 && rank !== 4) op.fail('the input must have rank 3 or 4');
  if (rank === 3 && !op.has('num_heads')) op.fail('an input of rank 3 needs num_heads');
  return firstInput(op);
}

/** @source onnx/defs/nn/defs.cc, CausalConvWithState */
function causalConvolution(op: OperatorContext): OutputTypes {
  const dim = (index: number, axis: number): Dim => op.shape(index)?.[axis] ?? null;
  const batch = unifyDims(dim(0, 0), dim(3, 0));
  const channels = [dim(1, 0), dim(2, 0), dim(3, 1)].reduce(unifyDims, dim(0, 1));
  const kept = unifyDims(dim(3, 2), op.algebra.subtract(dim(1, 2), 1));
  return [...firstInput(op), tensorLike(op, 0, [batch, channels, kept])];
}

/** @source onnx/defs/nn/defs.cc, LinearAttention */
function linearAttention(op: OperatorContext): OutputTypes {
  const [queryHeads, heads] = [op.int('q_num_heads', 0), op.int('kv_num_heads', 0)];
  if (queryHeads <= 0 || heads <= 0 || queryHeads % heads !== 0)
    op.fail('q_num_heads must be a multiple of kv_num_heads');
  const [query, key, value, past, decay, beta] = [0, 1, 2, 3, 4, 5].map((index) => op.shape(index));
  const all = (axis: number, shapes: readonly (Shape | undefined)[]): Dim =>
    shapes.map((shape) => shape?.[axis] ?? null).reduce(unifyDims, null);
  const batch = all(0, [query, key, value, past, decay, beta]);
  const length = all(1, [query, key, value, decay, beta]);
  const keySize = [perHead(op, query, queryHeads), perHead(op, key, heads)].reduce(unifyDims, past?.[2] ?? null);
  const valueSize = unifyDims(past?.[3] ?? null, perHead(op, value, heads));
  const state = tensorLike(op, op.hasInput(3) && op.type(3) ? 3 : 0, [batch, heads, keySize, valueSize]);
  return [tensorLike(op, 0, [batch, length, op.algebra.multiply(valueSize, queryHeads)]), state];
}

function perHead(op: OperatorContext, shape: Shape | undefined, heads: number): Dim {
  const hidden = shape?.[2] ?? null;
  return op.emulates && typeof hidden !== 'number' ? null : op.algebra.divide(hidden, heads);
}

/** @source onnx/defs/preview/defs.cc, FlexAttentionShapeInference */
export function flexAttention(op: OperatorContext): OutputTypes {
  const shapes = [0, 1, 2].map((index) => op.shape(index));
  const [query, key, value] = shapes;
  if (!query || !key || !value) return [tensorLike(op, 0, undefined)];
  if (shapes.some((shape) => shape?.length !== 4)) op.fail('query, key and value must have rank 4');
  const batch = unifyDims(unifyDims(query[0] as Dim, key[0] as Dim), value[0] as Dim);
  return [tensorLike(op, 0, [batch, query[1] as Dim, query[2] as Dim, value[3] as Dim])];
}

export const attentionRules: RuleTable = {
  Attention: attention,
  RotaryEmbedding: rotaryEmbedding,
  CausalConvWithState: causalConvolution,
  LinearAttention: linearAttention,
};
