import { describe, expect, it } from 'vitest';
import { int64Tensor } from '../../ir/index.ts';
import { inferTypes } from './infer-types.ts';
import { type GraphText, inferredType, ints, modelOf, type NodeText, type PlainAttributes } from './test-model.ts';

/** `count` nodes, each reading twice what the one before gave; the last gives `y`. */
function chain(count: number, op: string, attributes: PlainAttributes = {}, first = 'x'): NodeText[] {
  return Array.from({ length: count }, (_, index) => {
    const from = index === 0 ? first : `v${index}`;
    const inputs = op === 'Optional' ? from : `${from}, ${from}`;
    return [`${op}(${inputs}) -> ${index + 1 === count ? 'y' : `v${index + 1}`}`, attributes];
  });
}

describe('hostile models', () => {
  it.each<[string, GraphText, string]>([
    ['ranks that double', { inputs: { x: 'int64[1,1]' }, nodes: chain(40, 'Gather') }, 'int64'],
    ['optionals of optionals', { inputs: { x: 'int64[1]' }, nodes: chain(5000, 'Optional') }, '?'],
    [
      'symbols that multiply',
      { inputs: { x: 'float32[n,m]' }, nodes: [['Shape(x) -> s'], ...chain(200, 'Mul', {}, 's')] },
      'int64[2]',
    ],
    ['sums that double', { inputs: { x: 'float32[n]' }, nodes: chain(200, 'Concat', { axis: 0 }) }, 'float32[?]'],
    [
      'sizes that overflow',
      { inputs: { x: 'float32[9007199254740991]' }, nodes: chain(30, 'Concat', { axis: 0 }) },
      'float32[?]',
    ],
    [
      'negative sizes',
      { inputs: { x: 'float32[3]' }, constants: { p: ints(-9, 0) }, nodes: [['Pad(x, p) -> y']] },
      'float32[?]',
    ],
    [
      'huge data',
      { constants: { s: ints(1_000_000, 1_000_000) }, nodes: [['ConstantOfShape(s) -> x'], ['Add(x, x) -> y']] },
      'float32[1000000,1000000]',
    ],
    [
      'huge ranges',
      {
        constants: { a: int64Tensor([], [0]), b: int64Tensor([], [2 ** 52]), c: int64Tensor([], [1]) },
        nodes: [['Range(a, b, c) -> y']],
      },
      `int64[${2 ** 52}]`,
    ],
    ['no inputs', { nodes: [['Add() -> y']] }, '?'],
    ['no outputs', { inputs: { x: 'float32[3]' }, nodes: [['Relu(x) -> '], ['Relu(x) -> y']] }, 'float32[3]'],
    [
      'impossible attributes',
      { inputs: { x: 'float32[3,4]' }, nodes: [['Transpose(x) -> y', { perm: [7, -1] }]] },
      '?',
    ],
    ['many parts', { inputs: { x: 'float32[4]' }, nodes: [['Split(x) -> y', { num_outputs: 2 ** 40 }]] }, 'float32[1]'],
    [
      'operators of Object',
      { inputs: { x: 'float32[3]' }, nodes: [['toString(x) -> y'], ['constructor(x) -> z']] },
      '?',
    ],
  ])('%s', (_what, text, expected) => {
    const start = performance.now();
    for (const mode of ['data', 'onnx'] as const) {
      const model = modelOf(text);
      const rules = inferTypes(model, { mode }).diagnostics.map(({ rule }) => rule);
      expect(rules).not.toContain('inference-failed');
      if (mode === 'data') expect(inferredType(model)).toBe(expected);
    }
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
