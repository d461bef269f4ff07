import { describe, expect, it } from 'vitest';
import { inferredType, ints, modelOf, type OperatorCase } from './test-model.ts';

const families: Readonly<Record<string, readonly OperatorCase[]>> = {
  elementwise: [
    ['keeps symbols', { inputs: { x: 'float32[batch,3]' }, nodes: [['Relu(x) -> y']] }, 'float32[batch,3]'],
    ['scalar', { inputs: { x: 'float32[]' }, nodes: [['Sqrt(x) -> y']] }, 'float32[]'],
    ['empty', { inputs: { x: 'float32[0,3]' }, nodes: [['Neg(x) -> y']] }, 'float32[0,3]'],
    ['unknown rank', { inputs: { x: 'float32' }, nodes: [['Exp(x) -> y']] }, 'float32'],
    [
      'broadcasts',
      { inputs: { a: 'float32[batch,1,5]', b: 'float32[4,1]' }, nodes: [['Add(a, b) -> y']] },
      'float32[batch,4,5]',
    ],
    [
      'broadcasts a 0',
      { inputs: { a: 'float32[0,1]', b: 'float32[1,3]' }, nodes: [['Mul(a, b) -> y']] },
      'float32[0,3]',
    ],
    ['two symbols', { inputs: { a: 'float32[n]', b: 'float32[m]' }, nodes: [['Add(a, b) -> y']] }, 'float32[?]'],
    ['symbol and size', { inputs: { a: 'float32[n]', b: 'float32[7]' }, nodes: [['Add(a, b) -> y']] }, 'float32[7]'],
    [
      'three operands',
      { inputs: { a: 'int64[n]', b: 'int64[]', c: 'int64[1]' }, nodes: [['Max(a, b, c) -> y']] },
      'int64[n]',
    ],
    ['compares', { inputs: { a: 'float32[n,1]', b: 'float32[3]' }, nodes: [['Less(a, b) -> y']] }, 'bool[n,3]'],
    [
      'selects',
      { inputs: { c: 'bool[n,1]', a: 'float16[3]', b: 'float16[]' }, nodes: [['Where(c, a, b) -> y']] },
      'float16[n,3]',
    ],
    ['casts', { inputs: { x: 'int64[n]' }, nodes: [['Cast(x) -> y', { to: 10 }]] }, 'float16[n]'],
    ['without a type', { inputs: { x: '' }, nodes: [['Shape(x) -> y']] }, 'int64[?]'],
  ],
  reductions: [
    ['all axes', { inputs: { x: 'float32[a,b]' }, nodes: [['ReduceMean(x) -> y', { keepdims: 0 }]] }, 'float32[]'],
    [
      'negative axis',
      { inputs: { x: 'float32[a,b,c]' }, nodes: [['ReduceMax(x) -> y', { axes: [-1] }]] },
      'float32[a,b,1]',
      17,
    ],
    [
      'axes as an input',
      { inputs: { x: 'float32[a,b]' }, constants: { i: ints(0) }, nodes: [['ReduceSum(x, i) -> y']] },
      'float32[1,b]',
      13,
    ],
    [
      'no axes, no operation',
      { inputs: { x: 'float32[a,b]' }, nodes: [['ReduceSum(x) -> y', { noop_with_empty_axes: 1 }]] },
      'float32[a,b]',
      13,
    ],
    [
      'hidden axes keep the rank',
      { inputs: { x: 'float32[a,b]', i: 'int64[1]' }, nodes: [['ReduceMean(x, i) -> y']] },
      'float32[?,?]',
      18,
    ],
    ['largest', { inputs: { x: 'float32[a,b]' }, nodes: [['ArgMax(x) -> y', { axis: -1, keepdims: 0 }]] }, 'int64[a]'],
    [
      'top',
      { inputs: { x: 'float32[a,9]' }, constants: { k: ints(3) }, nodes: [['TopK(x, k) -> v, y']] },
      'int64[a,3]',
    ],
  ],
  matrix: [
    [
      'batches',
      { inputs: { a: 'float32[b,1,n,8]', w: 'float32[4,8,m]' }, nodes: [['MatMul(a, w) -> y']] },
      'float32[b,4,n,m]',
    ],
    [
      'vector left',
      { inputs: { a: 'float32[8]', w: 'float32[b,8,m]' }, nodes: [['MatMul(a, w) -> y']] },
      'float32[b,m]',
    ],
    ['two vectors', { inputs: { a: 'float32[8]', w: 'float32[8]' }, nodes: [['MatMul(a, w) -> y']] }, 'float32[]'],
    [
      'transposed',
      { inputs: { a: 'float32[8,n]', w: 'float32[m,8]' }, nodes: [['Gemm(a, w) -> y', { transA: 1, transB: 1 }]] },
      'float32[n,m]',
    ],
    ['integers', { inputs: { a: 'uint8[n,8]', w: 'int8[8,4]' }, nodes: [['MatMulInteger(a, w) -> y']] }, 'int32[n,4]'],
    [
      'einsum',
      {
        inputs: { a: 'float32[b,h,q,d]', w: 'float32[b,h,k,d]' },
        nodes: [['Einsum(a, w) -> y', { equation: 'bhqd, bhkd -> bhqk' }]],
      },
      'float32[b,h,q,k]',
    ],
    [
      'einsum with dots',
      { inputs: { a: 'float32[b,h,n,d]' }, nodes: [['Einsum(a) -> y', { equation: '...ij->...ji' }]] },
      'float32[b,h,d,n]',
    ],
  ],
  convolution: [
    [
      'strides and pads',
      {
        inputs: { x: 'float32[b,3,32,33]', w: 'float32[8,3,3,3]' },
        nodes: [['Conv(x, w) -> y', { strides: [2, 2], pads: [1, 1, 1, 1] }]],
      },
      'float32[b,8,16,17]',
    ],
    [
      'keeps a symbolic size',
      { inputs: { x: 'float32[b,3,t]', w: 'float32[8,3,5]' }, nodes: [['Conv(x, w) -> y', { pads: [2, 2] }]] },
      'float32[b,8,t]',
    ],
    [
      'same padding',
      {
        inputs: { x: 'float32[1,1,7]', w: 'float32[1,1,3]' },
        nodes: [['Conv(x, w) -> y', { auto_pad: 'SAME_UPPER', strides: [2] }]],
      },
      'float32[1,1,4]',
    ],
    [
      'transposed',
      {
        inputs: { x: 'float32[1,4,5]', w: 'float32[4,2,3]' },
        nodes: [['ConvTranspose(x, w) -> y', { strides: [2], group: 2 }]],
      },
      'float32[1,4,11]',
    ],
    [
      'pools, rounded up',
      {
        inputs: { x: 'float32[1,4,8]' },
        nodes: [['MaxPool(x) -> y', { kernel_shape: [3], strides: [2], ceil_mode: 1 }]],
      },
      'float32[1,4,4]',
    ],
    ['pools all', { inputs: { x: 'float32[n,c,h,w]' }, nodes: [['GlobalAveragePool(x) -> y']] }, 'float32[n,c,1,1]'],
  ],
};

for (const [family, cases] of Object.entries(families)) {
  describe(family, () => {
    for (const [what, text, expected, opset] of cases) {
      it(what, () => expect(inferredType(modelOf(text, opset, { 'com.microsoft': 1 }))).toBe(expected));
    }
  });
}
