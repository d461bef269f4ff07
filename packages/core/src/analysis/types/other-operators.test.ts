import { describe, expect, it } from 'vitest';
import { float32Tensor } from '../../ir/index.ts';
import { inferredType, modelOf, type OperatorCase, scalar } from './test-model.ts';

const families: Readonly<Record<string, readonly OperatorCase[]>> = {
  others: [
    ['constants', { nodes: [['Constant() -> y', { value_ints: [1, 2, 3] }]] }, 'int64[3]'],
    [
      'range',
      {
        inputs: { x: 'float32[n]' },
        constants: { zero: scalar(0), one: scalar(1) },
        nodes: [['Shape(x) -> s'], ['Squeeze(s) -> n'], ['Range(zero, n, one) -> y']],
      },
      'int64[n]',
    ],
    [
      'layer norm statistics',
      { inputs: { x: 'float16[b,s,8]', w: 'float16[8]' }, nodes: [['LayerNormalization(x, w) -> z, y']] },
      'float32[b,s,1]',
    ],
    [
      'attention',
      {
        inputs: { q: 'float32[b,q,32]', k: 'float32[b,k,16]', v: 'float32[b,k,16]' },
        nodes: [['Attention(q, k, v) -> y', { q_num_heads: 4, kv_num_heads: 2 }]],
      },
      'float32[b,q,32]',
      23,
    ],
    [
      'attention keeps the past',
      {
        inputs: { q: 'float32[b,q,32]', k: 'float32[b,k,32]', v: 'float32[b,k,32]', p: 'float32[b,4,past,8]' },
        nodes: [['Attention(q, k, v, , p, p) -> o, y, z', { q_num_heads: 4, kv_num_heads: 4 }]],
      },
      'float32[b,4,k + past,8]',
      23,
    ],
    [
      'quantize',
      { inputs: { x: 'float32[n]', s: 'float32[]', z: 'int8[]' }, nodes: [['QuantizeLinear(x, s, z) -> y']] },
      'int8[n]',
    ],
    [
      'dequantize',
      { inputs: { x: 'int8[n]', s: 'float16[]' }, nodes: [['DequantizeLinear(x, s) -> y']] },
      'float16[n]',
    ],
    ['dynamic quantize', { inputs: { x: 'float32[n]' }, nodes: [['DynamicQuantizeLinear(x) -> y, s, z']] }, 'uint8[n]'],
    [
      'recurrent',
      {
        inputs: { x: 'float32[t,b,8]', w: 'float32[2,64,8]' },
        nodes: [['LSTM(x, w, w) -> a, y', { hidden_size: 16, direction: 'bidirectional' }]],
      },
      'float32[2,b,16]',
    ],
    [
      'resize',
      {
        inputs: { x: 'float32[b,3,10,10]' },
        constants: { s: float32Tensor([4], [1, 1, 2, 0.5]) },
        nodes: [['Resize(x, , s) -> y']],
      },
      'float32[b,3,20,5]',
    ],
    [
      'sequences',
      { inputs: { a: 'float32[2,n]', b: 'float32[3,n]' }, nodes: [['SequenceConstruct(a, b) -> y']] },
      'sequence(float32[?,n])',
    ],
    [
      'of a sequence',
      {
        inputs: { a: 'float32[2,n]' },
        nodes: [['SequenceConstruct(a, a) -> s'], ['ConcatFromSequence(s) -> y', { axis: 1, new_axis: 1 }]],
      },
      'float32[2,?,n]',
    ],
    [
      'optionals',
      { inputs: { a: 'float32[n]' }, nodes: [['Optional(a) -> o'], ['OptionalGetElement(o) -> y']] },
      'float32[n]',
    ],
    [
      'contrib',
      {
        inputs: { a: 'float32[b,s,64]', w: 'uint8[128,2,16]', c: 'float32[256]' },
        nodes: [['com.microsoft:MatMulNBits(a, w, c) -> y', { K: 64, N: 128, bits: 4, block_size: 32 }]],
      },
      'float32[b,s,128]',
    ],
    [
      'contrib transposed',
      {
        inputs: { a: 'float32[b,8,n]', w: 'float32[b,8,m]' },
        nodes: [['com.microsoft:FusedMatMul(a, w) -> y', { transA: 1 }]],
      },
      'float32[b,n,m]',
    ],
    ['unknown operator', { inputs: { x: 'float32[n]' }, nodes: [['Frobnicate(x) -> z'], ['Relu(z) -> y']] }, '?'],
    ['unknown domain', { inputs: { x: 'float32[n]' }, nodes: [['acme:Thing(x) -> z'], ['Relu(z) -> y']] }, '?'],
  ],
};

for (const [family, cases] of Object.entries(families)) {
  describe(family, () => {
    for (const [what, text, expected, opset] of cases) {
      it(what, () => expect(inferredType(modelOf(text, opset, { 'com.microsoft': 1 }))).toBe(expected));
    }
  });
}
