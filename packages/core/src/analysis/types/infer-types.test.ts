import { describe, expect, it } from 'vitest';
import { tensorOf, type Value } from '../../ir/index.ts';
import { inferTypes } from './infer-types.ts';
import { type GraphText, inferredType, ints, modelOf, scalar, typeOfText, valuesByName } from './test-model.ts';

/** Diagnostics of a model, as `rule: message`. */
const findings = (text: GraphText): string[] =>
  inferTypes(modelOf(text)).diagnostics.map(({ rule, message }) => `${rule}: ${message}`);

describe('data that shapes are made of', () => {
  it('follows Shape, Gather, Unsqueeze, Concat and Reshape', () => {
    const text: GraphText = {
      inputs: { x: 'float32[batch,sequence,768]' },
      constants: { zero: scalar(0), one: scalar(1), axis: ints(0), heads: ints(12), size: ints(64) },
      nodes: [
        ['Shape(x) -> shape'],
        ['Gather(shape, zero) -> b'],
        ['Gather(shape, one) -> s'],
        ['Unsqueeze(b, axis) -> b1'],
        ['Unsqueeze(s, axis) -> s1'],
        ['Concat(b1, s1, heads, size) -> target', { axis: 0 }],
        ['Reshape(x, target) -> y'],
      ],
    };
    expect(inferredType(modelOf(text))).toBe('float32[batch,sequence,12,64]');
    // Python follows no data: all it knows is that there are four.
    expect(inferredType(modelOf(text), 'y', { mode: 'onnx' })).toBe('float32[unk__0,unk__1,unk__2,unk__3]');
  });

  it('computes with symbols', () => {
    const text: GraphText = {
      inputs: { past: 'float32[b,4,past,8]', x: 'float32[b,now,32]' },
      constants: { two: scalar(2), one: scalar(1), axis: ints(0) },
      nodes: [
        ['Shape(past) -> p', { start: 2, end: 3 }],
        ['Shape(x) -> n', { start: 1, end: 2 }],
        ['Add(p, n) -> total'],
        ['ConstantOfShape(total) -> y'],
      ],
    };
    expect(inferredType(modelOf(text))).toBe('float32[now + past]');
  });

  it('sees through the expansion of masks: Where(shape == -1, 1, shape)', () => {
    const text: GraphText = {
      inputs: { x: 'float32[batch,1]', ids: 'int64[batch,sequence]' },
      constants: { minus: scalar(-1) },
      nodes: [
        ['Shape(ids) -> shape'],
        ['Shape(shape) -> rank'],
        ['ConstantOfShape(rank) -> ones', { value: ints(1) }],
        ['Equal(shape, minus) -> isFree'],
        ['Where(isFree, ones, shape) -> target'],
        ['Expand(x, target) -> y'],
      ],
    };
    expect(inferredType(modelOf(text))).toBe('float32[batch,sequence]');
  });

  it('knows a table that is cut to the length of its partner', () => {
    const text: GraphText = {
      inputs: { x: 'float32[batch,sequence,8]', positions: 'float32[1,512,8]' },
      constants: { start: ints(0), axis: ints(1) },
      nodes: [
        ['Shape(x) -> end', { start: 1, end: 2 }],
        ['Slice(positions, start, end, axis) -> cut'],
        ['Add(x, cut) -> y'],
      ],
    };
    expect(inferredType(modelOf(text))).toBe('float32[batch,sequence,8]');
  });

  it('tells the numbers it found', () => {
    const model = modelOf({
      inputs: { x: 'float32[batch,3]' },
      constants: { two: tensorOf('float32', [], Float32Array.of(2)) },
      nodes: [['Shape(x) -> s'], ['Cast(s) -> f', { to: 1 }], ['Mul(f, two) -> y']],
    });
    expect(inferTypes(model).valuesOf(valuesByName(model).get('y') as Value)).toEqual(['2*batch', 6]);
  });
});

describe('contradictions', () => {
  it.each<[string, GraphText, RegExp, number?]>([
    [
      'broadcast',
      { inputs: { a: 'float32[2]', b: 'float32[3]' }, nodes: [['Add(a, b) -> y']] },
      /Add "y": 2 and 3 cannot be broadcast/,
    ],
    [
      'matrix',
      { inputs: { a: 'float32[n,4]', b: 'float32[5,m]' }, nodes: [['MatMul(a, b) -> y']] },
      /4 and 5 must be equal/,
    ],
    [
      'axis',
      { inputs: { x: 'float32[n]' }, nodes: [['Softmax(x) -> y', { axis: 1 }]] },
      /axis 1 is outside of \[-1, 1\)/,
    ],
    [
      'reshape',
      { inputs: { x: 'float32[7]' }, constants: { s: ints(2, -1) }, nodes: [['Reshape(x, s) -> y']] },
      /\[7\] cannot be reshaped to \[2, -1\]/,
    ],
    [
      'concat',
      { inputs: { a: 'float32[1,2]', b: 'float32[1,3]' }, nodes: [['Concat(a, b) -> y', { axis: 0 }]] },
      /2 and 3 must be equal/,
    ],
    [
      'squeeze',
      { inputs: { x: 'float32[2]' }, constants: { i: ints(0) }, nodes: [['Squeeze(x, i) -> y']] },
      /has size 2 and cannot go/,
    ],
    ['no opset', { inputs: { x: 'float32[2]' }, nodes: [['acme:Thing(x) -> y']] }, /^opset-missing/],
  ])('%s', (_what, text, expected) => {
    expect(findings(text)).toEqual([expect.stringMatching(expected)]);
  });

  it('keeps what is declared and reports it', () => {
    const text: GraphText = {
      inputs: { x: 'float32[n,3]' },
      nodes: [['Relu(x) -> y']],
      outputs: { y: 'float32[n,4]' },
    };
    expect(inferredType(modelOf(text))).toBe('float32[n,4]');
    expect(findings(text)).toEqual([expect.stringContaining('"y" is declared float32[n,4], but it is float32[n,3]')]);
  });

  it('puts declaration and inference together', () => {
    const nodes = [['Relu(x) -> y']] as const;
    const inputs = { x: 'float32[n,3]' };
    expect(inferredType(modelOf({ inputs, nodes, outputs: { y: 'float32[batch,?]' } }))).toBe('float32[batch,3]');
    expect(inferredType(modelOf({ inputs, nodes, outputs: { y: 'float32[n,m]' } }))).toBe('float32[n,3]');
    expect(findings({ inputs, nodes, outputs: { y: 'float32[n,m]' } })).toEqual([]);
  });
});

describe('memory', () => {
  it('holds until the graph is edited', () => {
    const model = modelOf({ inputs: { x: 'float32[n]' }, nodes: [['Relu(x) -> y']] });
    const before = inferTypes(model);
    expect(inferTypes(model)).toBe(before);
    expect(inferTypes(model, { mode: 'onnx' })).not.toBe(before);
    (model.graph.inputs[0] as Value).type = typeOfText('float32[m]');
    model.graph.touch();
    expect(inferredType(model)).toBe('float32[m]');
  });
});
