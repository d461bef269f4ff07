import { describe, expect, it } from 'vitest';
import { int64Tensor } from '../../ir/index.ts';
import { inferredType, ints, modelOf, type OperatorCase, scalar } from './test-model.ts';

const families: Readonly<Record<string, readonly OperatorCase[]>> = {
  shapes: [
    [
      '0 and -1',
      {
        inputs: { x: 'float32[batch,sequence,768]' },
        constants: { s: ints(0, 0, 12, -1) },
        nodes: [['Reshape(x, s) -> y']],
      },
      'float32[batch,sequence,12,64]',
    ],
    [
      'a symbol for -1',
      { inputs: { x: 'float32[batch,sequence,8]' }, constants: { s: ints(-1, 8) }, nodes: [['Reshape(x, s) -> y']] },
      'float32[batch*sequence,8]',
    ],
    [
      'to a scalar',
      { inputs: { x: 'float32[1,1]' }, constants: { s: int64Tensor([0], []) }, nodes: [['Reshape(x, s) -> y']] },
      'float32[]',
    ],
    [
      'zeros allowed',
      {
        inputs: { x: 'float32[0,3]' },
        constants: { s: ints(3, 0) },
        nodes: [['Reshape(x, s) -> y', { allowzero: 1 }]],
      },
      'float32[3,0]',
    ],
    [
      'rank of a hidden shape',
      { inputs: { x: 'float32[a]', s: 'int64[3]' }, nodes: [['Reshape(x, s) -> y']] },
      'float32[?,?,?]',
    ],
    [
      'squeeze 11',
      { inputs: { x: 'float32[1,n,1]' }, nodes: [['Squeeze(x) -> y', { axes: [-1] }]] },
      'float32[1,n]',
      11,
    ],
    [
      'squeeze 13',
      { inputs: { x: 'float32[1,n,1]' }, constants: { i: ints(0, 2) }, nodes: [['Squeeze(x, i) -> y']] },
      'float32[n]',
      13,
    ],
    [
      'unsqueeze',
      { inputs: { x: 'float32[n]' }, constants: { i: ints(-1, 0) }, nodes: [['Unsqueeze(x, i) -> y']] },
      'float32[1,n,1]',
    ],
    ['transpose', { inputs: { x: 'float32[a,b,c]' }, nodes: [['Transpose(x) -> y']] }, 'float32[c,b,a]'],
    [
      'flatten at 0',
      { inputs: { x: 'float32[a,3,b]' }, nodes: [['Flatten(x) -> y', { axis: 0 }]] },
      'float32[1,3*a*b]',
    ],
    [
      'expand',
      { inputs: { x: 'float32[n,1]' }, constants: { s: ints(2, 1, 5) }, nodes: [['Expand(x, s) -> y']] },
      'float32[2,n,5]',
    ],
    [
      'tile',
      { inputs: { x: 'float32[n,3]' }, constants: { r: ints(2, 0) }, nodes: [['Tile(x, r) -> y']] },
      'float32[2*n,0]',
    ],
  ],
  slices: [
    [
      'attributes',
      { inputs: { x: 'float32[9,n]' }, nodes: [['Slice(x) -> y', { starts: [2], ends: [-1] }]] },
      'float32[6,n]',
      9,
    ],
    [
      'backwards',
      {
        inputs: { x: 'float32[9]' },
        constants: { s: ints(-1), e: ints(-20), i: ints(0), t: ints(-2) },
        nodes: [['Slice(x, s, e, i, t) -> y']],
      },
      'float32[5]',
    ],
    [
      'first of a symbol',
      {
        inputs: { x: 'float32[n,4]' },
        constants: { s: ints(1), e: int64Tensor([1], [2n ** 63n - 1n]), i: ints(0) },
        nodes: [['Slice(x, s, e, i) -> y']],
      },
      'float32[n - 1,4]',
    ],
    [
      'last of a symbol',
      {
        inputs: { x: 'float32[n]' },
        constants: { s: ints(-1), e: ints(2 ** 31 - 1) },
        nodes: [['Slice(x, s, e) -> y']],
      },
      'float32[1]',
    ],
    ['split evenly', { inputs: { x: 'float32[6,n]' }, nodes: [['Split(x) -> y, z']] }, 'float32[3,n]', 11],
    [
      'split unevenly',
      { inputs: { x: 'float32[7,n]' }, nodes: [['Split(x) -> x1, y', { num_outputs: 2 }]] },
      'float32[3,n]',
      18,
    ],
    [
      'concat',
      { inputs: { a: 'float32[past,4]', b: 'float32[now,4]' }, nodes: [['Concat(a, b) -> y', { axis: -2 }]] },
      'float32[now + past,4]',
    ],
    [
      'pad',
      { inputs: { x: 'float32[n,3]' }, constants: { p: ints(1, 0, 0, -1) }, nodes: [['Pad(x, p) -> y']] },
      'float32[n + 1,2]',
    ],
  ],
  gathering: [
    [
      'rows',
      { inputs: { w: 'float32[100,8]', i: 'int64[batch,sequence]' }, nodes: [['Gather(w, i) -> y']] },
      'float32[batch,sequence,8]',
    ],
    [
      'one of an axis',
      { inputs: { x: 'float32[b,s,8]' }, constants: { i: scalar(0) }, nodes: [['Gather(x, i) -> y', { axis: 1 }]] },
      'float32[b,8]',
    ],
    ['points', { inputs: { x: 'float32[a,b,c]', i: 'int64[n,2]' }, nodes: [['GatherND(x, i) -> y']] }, 'float32[n,c]'],
    [
      'elements',
      { inputs: { x: 'float32[a,b]', i: 'int64[n,2]' }, nodes: [['GatherElements(x, i) -> y']] },
      'float32[n,2]',
    ],
    [
      'one hot',
      { inputs: { i: 'int64[n]', v: 'float32[2]' }, constants: { d: scalar(5) }, nodes: [['OneHot(i, d, v) -> y']] },
      'float32[n,5]',
    ],
    ['non-zero', { inputs: { x: 'float32[a,b,c]' }, nodes: [['NonZero(x) -> y']] }, 'int64[3,?]'],
  ],
};

for (const [family, cases] of Object.entries(families)) {
  describe(family, () => {
    for (const [what, text, expected, opset] of cases) {
      it(what, () => expect(inferredType(modelOf(text, opset, { 'com.microsoft': 1 }))).toBe(expected));
    }
  });
}
