import { intAttribute, intsAttribute, type Value, type VariantBuilder } from '@optimum/core';
import type { ProbedKernel } from './probed-kernel.ts';

const heads = 12;
const headSize = 64;
const width = heads * headSize;

/** As exporters write it; only without the projections. */
function unfused(builder: VariantBuilder, value: Value): Value {
  const split = builder.shape([0, 0, heads, headSize]);
  const headsOf = (one: Value, perm: readonly number[]): Value =>
    builder.add('Transpose', [builder.add('Reshape', [one, split])], { perm: intsAttribute(perm) });
  const query = headsOf(builder.add('Mul', [value, builder.scale(1 / Math.sqrt(headSize))]), [0, 2, 1, 3]);
  const scores = builder.add('MatMul', [query, headsOf(value, [0, 2, 3, 1])]);
  const weights = builder.add('Softmax', [scores], { axis: intAttribute(-1) });
  const mixed = builder.add('MatMul', [weights, headsOf(value, [0, 2, 1, 3])]);
  const joined = builder.add('Transpose', [mixed], { perm: intsAttribute([0, 2, 1, 3]) });
  return builder.add('Reshape', [joined, builder.shape([0, 0, width])]);
}

const fused = (builder: VariantBuilder, value: Value): Value =>
  builder.add('MultiHeadAttention', [value, value, value], { num_heads: intAttribute(heads) }, 'com.microsoft');

/** `rows`: positions; `depth`: numbers of a head; `columns`: heads. */
export const probedAttention: readonly ProbedKernel[] = Object.entries({
  'attention-unfused': unfused,
  'attention-multi-head': fused,
}).flatMap(([kernel, build]) =>
  [16, 128].map((rows) => ({
    ...{ kernel, rows, depth: headSize, columns: heads },
    input: [1, rows, width],
    branch: 'at any length',
    copies: 1,
    byteLength: 0,
    build,
  })),
);
