import { describe, expect, it } from 'vitest';
import { tensorOf } from '../ir/index.ts';
import { parseModel } from '../text/index.ts';
import { foldAffine } from './fold-affine.ts';
import { applied } from './test-graph.ts';

const constants = 'float[2,1,1] s = {2,3}, float two = {2}, float[1] one = {1}';
const behind = (body: string) =>
  applied(
    foldAffine,
    `(float[1,1,4,4] x) => (float[1,2,4,4] y) <float[2,1,1,1] w = {1,2}, float[2] b = {10,20}, ${constants}> { ${body} }`,
  );
const before = (body: string, attributes = '') =>
  applied(
    foldAffine,
    `(float[1,2,4,4] x) => (float[1,1,h,w] y) <float[1,2,1,1] w = {1,10}, ${constants}> { ${body} y = Conv ${attributes} (i, w) }`,
  );

describe('foldAffine behind a product', () => {
  it.each([
    ['Mul by a scalar', 'h = Conv (x, w, b)  y = Mul (two, h)', '{2,4}', '{20,40}'],
    ['Mul by channel', 'h = Conv (x, w, b)  y = Mul (h, s)', '{2,6}', '{20,60}'],
    ['Div', 'h = Conv (x, w, b)  y = Div (h, two)', '{0.5,1}', '{5,10}'],
    ['Sub of a constant', 'h = Conv (x, w, b)  y = Sub (h, s)', '{1,2}', '{8,17}'],
    ['Sub from a constant', 'h = Conv (x, w, b)  y = Sub (one, h)', '{-1,-2}', '{-9,-19}'],
    ['Add', 'h = Conv (x, w, b)  y = Add (s, h)', '{1,2}', '{12,23}'],
    ['a chain', 'h = Conv (x, w, b)  i = Mul (h, s)  j = Add (i, one)  y = Div (j, two)', '{1,3}', '{10.5,30.5}'],
  ])('takes up %s', (_what, body, weight, bias) => {
    const { count, lines } = behind(body);
    expect(count).toBe(body.split('  ').length - 1);
    const name = weight === '{1,2}' ? 'w' : 'w_folded';
    expect(lines).toBe(
      [`float[2,1,1,1] ${name} = ${weight}`, `float[2] b_folded = ${bias}`, `y = Conv (x, ${name}, b_folded)`].join(
        '\n',
      ),
    );
  });

  it.each([
    ['what another operator sees too', 'h = Conv (x, w, b)  i = Mul (h, two)  y = Add (i, h)'],
    [
      'a constant along another axis',
      'h = Conv (x, w, b)  t = Constant <value = float[4] {1,2,3,4}> ()  y = Mul (h, t)',
    ],
    [
      'a constant that raises the rank',
      'h = Conv (x, w, b)  t = Constant <value = float[1,1,1,1,1] {2}> ()  y = Mul (h, t)',
    ],
    ['a constant over the product', 'h = Conv (x, w, b)  y = Div (two, h)'],
    ['a square', 'h = Conv (x, w, b)  y = Mul (h, h)'],
    ['what cannot be held', 'h = Conv (x, w, b)  t = Constant <value = float {0}> ()  y = Div (h, t)'],
    ['operators of another domain', 'h = own.Conv (x, w, b)  y = Mul (h, two)'],
  ])('leaves %s', (_what, body) => {
    expect(behind(body).count).toBe(0);
  });

  it('leaves a value that is an output of the graph', () => {
    const graph = `(float[1,1,4,4] x) => (float[1,2,4,4] h, float[1,2,4,4] y) <float[2,1,1,1] w = {1,2}, ${constants}>`;
    expect(applied(foldAffine, `${graph} { h = Conv (x, w)  y = Mul (h, two) }`).count).toBe(0);
  });

  it('leaves a weight to its other readers', () => {
    const { lines } = behind('h = Conv (x, w, b)  i = Mul (h, two)  j = Conv (x, w, b)  y = Add (i, j)');
    expect(lines).toContain('i = Conv (x, w_folded, b_folded)');
    expect(lines).toContain('j = Conv (x, w, b)');
  });

  it('scales the columns of MatMul, stored or transposed, and stops at a shift', () => {
    const matmul = (body: string) =>
      applied(
        foldAffine,
        `(float[n,2] x) => (float[n,2] y) <float[2,2] w = {1,2,3,4}, float[2] v = {10,100}, float one = {1}> { ${body} }`,
      );
    expect(matmul('h = MatMul (x, w)  y = Mul (h, v)').lines).toBe(
      'float[2,2] w_folded = {10,200,30,400}\ny = MatMul (x, w_folded)',
    );
    expect(matmul('t = Transpose (w)  h = MatMul (x, t)  y = Mul (h, v)').lines).toContain(
      'w_folded = {10,20,300,400}',
    );
    expect(matmul('h = MatMul (x, w)  i = Mul (h, v)  y = Add (i, one)').count).toBe(1);
    expect(matmul('h = MatMul (x, w)  y = Add (h, v)').count).toBe(0);
  });

  it('computes large weights only when they are asked for, and exactly', () => {
    const model = parseModel(
      `<ir_version: 8, opset_import: ["": 17]> g (float[n,600] x) => (float[n,600] y) <float half = {0.5}>
       { h = MatMul (x, x)  y = Mul (h, half) }`,
    );
    const [product] = [...model.graph.nodes()];
    const numbers = Float32Array.from({ length: 360_000 }, (_, index) => index + 1);
    const weight = model.graph.addInitializer(tensorOf('float32', [600, 600], numbers), 'w');
    product?.setInput(1, weight);
    expect(foldAffine(model)).toBe(1);
    const origin = product?.inputs[1]?.origin;
    const tensor = origin?.kind === 'initializer' ? origin.tensor : undefined;
    expect(tensor?.backing.kind).toBe('computed');
    const expected = Buffer.from(numbers.map((number) => number / 2).buffer);
    expect(expected.equals(tensor?.bytes() ?? Buffer.alloc(0))).toBe(true);
  });
});

describe('foldAffine before a convolution', () => {
  it.each([
    ['Mul', 'i = Mul (x, s)', '', ['float[1,2,1,1] w_folded = {2,30}', 'y = Conv (x, w_folded)']],
    [
      'Mul where the convolution pads',
      'i = Mul (x, two)',
      '<pads = [1, 1, 1, 1]>',
      ['float[1,2,1,1] w_folded = {2,20}', 'y = Conv <pads = [1, 1, 1, 1]> (x, w_folded)'],
    ],
    [
      'Mul and Add',
      'h = Mul (x, s)  i = Add (h, one)',
      '',
      ['float[1] w_bias_folded = {11}', 'float[1,2,1,1] w_folded = {2,30}', 'y = Conv (x, w_folded, w_bias_folded)'],
    ],
  ])('takes up %s', (_what, body, attributes, lines) => {
    expect(before(body, attributes)).toEqual({ count: body.split('  ').length, lines: lines.join('\n') });
  });

  it('leaves one Add where the convolution pads: the padding has no shift', () => {
    expect(before('h = Mul (x, two)  i = Add (h, one)', '<pads = [1, 1, 1, 1]>')).toEqual({
      count: 1,
      lines: [
        'float i_shift = {0.5}',
        'float[1,2,1,1] w_folded = {2,20}',
        'Add_output_4 = Add (x, i_shift)',
        'y = Conv <pads = [1, 1, 1, 1]> (Add_output_4, w_folded)',
      ].join('\n'),
    });
    expect(before('i = Add (x, one)', '<pads = [1, 1, 1, 1]>').count).toBe(0);
    expect(before('i = Add (x, one)', '<auto_pad = "SAME_UPPER">').count).toBe(0);
  });

  it('takes up a BatchNormalization that stands in front', () => {
    const normalization = `t = Constant <value = float[2] {1,1}> ()  i = BatchNormalization <epsilon = 3.0> (x, t, t, t, t)`;
    expect(before(normalization).lines).toBe(
      [
        'float[1] w_bias_folded = {5.5}',
        'float[1,2,1,1] w_folded = {0.5,5}',
        'y = Conv (x, w_folded, w_bias_folded)',
      ].join('\n'),
    );
  });

  it('scales the channels of each group', () => {
    const { lines } = applied(
      foldAffine,
      `(float[1,4,4,4] x) => (float[1,2,4,4] y) <float[2,2,1,1] w = {1,1,1,1}, float[4,1,1] s = {2,3,4,5}, float[4,1,1] t = {1,10,100,1000}>
       { h = Mul (x, s)  i = Add (h, t)  y = Conv <group = 2> (i, w) }`,
    );
    expect(lines).toContain('w_folded = {2,3,4,5}');
    expect(lines).toContain('w_bias_folded = {11,1100}');
  });

  it.each([
    ['a constant that spreads one channel over two', '(float[1,1,4,4] x)'],
    ['a constant beside what is not known', '(float x)'],
  ])('leaves %s', (_what, inputs) => {
    const graph = `${inputs} => (float[1,1,4,4] y) <float[1,2,1,1] w = {1,10}, float[2,1,1] s = {2,3}>`;
    expect(applied(foldAffine, `${graph} { i = Mul (x, s)  y = Conv (i, w) }`).count).toBe(0);
  });

  it('leaves what another operator sees too', () => {
    const { count } = before('i = Mul (x, two)  j = Relu (i)');
    expect(count).toBe(0);
  });
});
