import { describe, expect, it } from 'vitest';
import { recogniseHardSwish } from './recognise-hard-swish.ts';
import { applied } from './test-graph.ts';

const constants =
  'float three = {3}, float zero = {0}, float six = {6}, float sixth = {0.16666667}, float[1,1,1] wide = {3}';
const recognised = (body: string, opset = 14) =>
  applied(recogniseHardSwish, `(float[n,2] x) => (float[n,2] y) <${constants}> { ${body} }`, opset);
const clip = 'a = Add (x, three)  c = Clip (a, zero, six)';

describe('recogniseHardSwish', () => {
  it.each([
    ['product, then division', `${clip}  m = Mul (x, c)  y = Div (m, six)`],
    ['product the other way round', `${clip}  m = Mul (c, x)  y = Div (m, six)`],
    ['product, then the reciprocal', `${clip}  m = Mul (x, c)  y = Mul (m, sixth)`],
    ['the reciprocal first', `${clip}  m = Mul (x, c)  y = Mul (sixth, m)`],
    ['x over 6', `${clip}  m = Div (x, six)  y = Mul (m, c)`],
    ['x by 1/6', `${clip}  m = Mul (x, sixth)  y = Mul (c, m)`],
    ['the sum the other way round', 'a = Add (three, x)  c = Clip (a, zero, six)  m = Mul (x, c)  y = Div (m, six)'],
    ['HardSigmoid', 'h = HardSigmoid <alpha = 0.16666667, beta = 0.5> (x)  y = Mul (x, h)'],
  ])('sees %s', (_what, body) => {
    expect(recognised(body)).toEqual({ count: 1, lines: 'y = HardSwish (x)' });
  });

  it('leaves x · HardSigmoid(x) before opset 14, with attributes of Clip too', () => {
    const gate = 'HardSigmoid_output_2 = HardSigmoid <alpha = 0.16666667, beta = 0.5> (x)';
    const expected = { count: 1, lines: [gate, 'y = Mul (x, HardSigmoid_output_2)'].join('\n') };
    expect(recognised(`${clip}  m = Mul (x, c)  y = Div (m, six)`, 13)).toEqual(expected);
    const old = 'a = Add (x, three)  c = Clip <min = 0.0, max = 6.0> (a)  m = Mul (x, c)  y = Div (m, six)';
    expect(recognised(old, 9)).toEqual(expected);
  });

  it('makes HardSigmoid of the gate alone', () => {
    expect(recognised(`${clip}  y = Div (c, six)`)).toEqual({
      count: 1,
      lines: 'y = HardSigmoid <alpha = 0.16666667, beta = 0.5> (x)',
    });
  });

  it.each([
    ['another bound', 'a = Add (x, three)  c = Clip (a, zero, three)  m = Mul (x, c)  y = Div (m, six)'],
    ['another shift', 'a = Add (x, six)  c = Clip (a, zero, six)  m = Mul (x, c)  y = Div (m, six)'],
    ['another divisor', `${clip}  m = Mul (x, c)  y = Div (m, three)`],
    ['a division of 6', `${clip}  m = Mul (x, c)  y = Div (six, m)`],
    ['another factor', `${clip}  r = Relu (x)  m = Mul (r, c)  y = Div (m, six)`],
    ['a clip that others see', `${clip}  m = Mul (x, c)  d = Div (m, six)  y = Add (d, c)`],
    ['a constant that raises the rank', 'a = Add (x, wide)  c = Clip (a, zero, six)  m = Mul (x, c)  y = Div (m, six)'],
    ['a steeper HardSigmoid', 'h = HardSigmoid (x)  y = Mul (x, h)'],
    ['a Clip with one bound', 'a = Add (x, three)  c = Clip (a, zero)  m = Mul (x, c)  y = Div (m, six)'],
  ])('leaves %s', (_what, body) => {
    expect(recognised(body).count).toBe(0);
  });
});
