import { describe, expect, it } from 'vitest';
import { parseModel } from '../text/index.ts';
import { constantOf } from './constants.ts';

/** What the first node that reads `w` as its second input sees. */
function weightIn(body: string, inputs = 'float[n,3] x') {
  const model = parseModel(`<ir_version: 8, opset_import: ["": 17]> g (${inputs}) => (y) ${body}`);
  const reader = [...model.graph.nodes()].find((node) => node.op === 'MatMul');
  const value = reader?.inputs[1];
  if (!value) throw new Error('no MatMul');
  return constantOf(value);
}

const stored = '<float[2,3] v = {1,2,3,4,5,6}, int64[2] s = {3,-1}, int64[1] a = {0}, int64[2] keep = {0,3}>';

describe('constantOf', () => {
  it.each([
    ['stored data', `${stored} { y = MatMul (x, v) }`, [2, 3], false],
    ['Identity', `${stored} { w = Identity (v)  y = MatMul (x, w) }`, [2, 3], false],
    ['Transpose', `${stored} { w = Transpose (v)  y = MatMul (x, w) }`, [3, 2], true],
    [
      'Transpose twice',
      `${stored} { t = Transpose (v)  w = Transpose <perm = [1, 0]> (t)  y = MatMul (x, w) }`,
      [2, 3],
      false,
    ],
    ['Reshape', `${stored} { w = Reshape (v, s)  y = MatMul (x, w) }`, [3, 2], false],
    ['Reshape that keeps a dimension', `${stored} { w = Reshape (v, keep)  y = MatMul (x, w) }`, [2, 3], false],
    ['Flatten', `${stored} { w = Flatten <axis = 2> (v)  y = MatMul (x, w) }`, [6, 1], false],
    ['Unsqueeze and Squeeze', `${stored} { u = Unsqueeze (v, a)  w = Squeeze (u)  y = MatMul (x, w) }`, [2, 3], false],
    ['a Constant node', '{ w = Constant <value = float[1,2] {1,2}> ()  y = MatMul (x, w) }', [1, 2], false],
    ['an input with data', '{ y = MatMul (x, w) }', [3, 1], false],
  ])('sees through %s', (what, body, dims, transposed) => {
    const inputs = what === 'an input with data' ? 'float[n,3] x, float[3,1] w = {1,2,3}' : undefined;
    expect(weightIn(body, inputs)).toMatchObject({ dims, transposed, elementType: 'float32' });
  });

  it('tells the type that the reader sees, and that of the data', () => {
    const weight = weightIn('<float16[1,2] v = {1,2}> { w = Cast <to = 1> (v)  y = MatMul (x, w) }');
    expect(weight?.elementType).toBe('float32');
    expect(weight?.tensor.elementType).toBe('float16');
    expect(weight?.path.map(({ op }) => op)).toEqual(['Cast']);
  });

  it.each([
    ['what depends on an input', '{ w = Relu (x)  y = MatMul (x, w) }'],
    ['arithmetic', `${stored} { w = Add (v, v)  y = MatMul (x, w) }`],
    ['Reshape of what is transposed', `${stored} { t = Transpose (v)  w = Reshape (t, s)  y = MatMul (x, w) }`],
    ['Reshape by a computed shape', `${stored} { c = Shape (x)  w = Reshape (v, c)  y = MatMul (x, w) }`],
    [
      'Reshape to another size',
      '<float[2,3] v = {1,2,3,4,5,6}, int64[1] s = {4}> { w = Reshape (v, s)  y = MatMul (x, w) }',
    ],
    ['Cast of integers', '<int32[1,2] v = {1,2}> { w = Cast <to = 1> (v)  y = MatMul (x, w) }'],
    ['operators of another domain', `${stored} { w = own.Identity (v)  y = MatMul (x, w) }`],
    ['names that every object has', `${stored} { w = constructor (v)  y = MatMul (x, w) }`],
  ])('does not see through %s', (_what, body) => {
    expect(weightIn(body)).toBeUndefined();
  });

  it('follows long chains in a straight line, and gives up on endless ones', () => {
    const chain = (length: number): string =>
      `<float[1,2] v0 = {1,2}> { ${Array.from({ length }, (_, index) => `v${index + 1} = Identity (v${index})`).join(' ')} y = MatMul (x, v${length}) }`;
    expect(weightIn(chain(900))?.path).toHaveLength(900);
    expect(weightIn(chain(1500))).toBeUndefined();
  });
});
