import { describe, expect, it } from 'vitest';
import { removeIdentity } from './remove-identity.ts';
import { applied } from './test-graph.ts';

const constants =
  'float one = {1}, float zero = {0}, float[1,1,1] wide = {1}, int64[2] same = {0,3}, int64[2] rest = {-1,3}, int64[2] other = {3,-1}, bool no = {0}, bool yes = {1}';
const after = (body: string, opset?: number) =>
  applied(removeIdentity, `(float[n,3] x) => (float[n,3] y) <${constants}> { ${body}  y = Relu (h) }`, opset);

describe('removeIdentity', () => {
  it.each([
    ['Identity', 'h = Identity (x)'],
    ['Mul by 1', 'h = Mul (one, x)'],
    ['Div by 1', 'h = Div (x, one)'],
    ['Add of 0', 'h = Add (x, zero)'],
    ['Sub of 0', 'h = Sub (x, zero)'],
    ['Dropout', 'h = Dropout (x)'],
    ['Dropout that is told not to train', 'h = Dropout (x, , no)'],
    ['Cast to the same type', 'h = Cast <to = 1> (x)'],
    ['Reshape to the same shape', 'h = Reshape (x, same)'],
    ['Reshape to what the others leave', 'h = Reshape (x, rest)'],
  ])('removes %s', (_what, body) => {
    const { count, lines } = after(body);
    expect(count).toBe(1);
    expect(lines).toContain('y = Relu (x)');
  });

  it.each([
    ['Mul by 1 of a higher rank', 'h = Mul (x, wide)'],
    ['Div of 1', 'h = Div (one, x)'],
    ['Sub from 0', 'h = Sub (zero, x)'],
    ['Add of 1', 'h = Add (x, one)'],
    ['Dropout that trains', 'h = Dropout (x, , yes)'],
    ['Dropout whose mask is read', 'd, m = Dropout (x)  f = Cast <to = 1> (m)  h = Add (d, f)'],
    ['Cast to another type', 'h = Cast <to = 10> (x)'],
    ['Reshape to another shape', 'h = Reshape (x, other)'],
    ['Identity of another domain', 'h = own.Identity (x)'],
  ])('leaves %s', (_what, body) => {
    expect(after(body).count).toBe(0);
  });

  it('keeps public names', () => {
    const graph = (body: string) => applied(removeIdentity, `(float[n] x) => (float[n] y) ${body}`);
    expect(graph('{ y = Identity (x) }').count).toBe(0);
    expect(graph('{ h = Relu (x)  y = Identity (h) }')).toEqual({ count: 1, lines: 'y = Relu (x)' });
    expect(graph('<float[2] w = {1,2}> { y = Identity (w) }').count).toBe(0);
  });
});
