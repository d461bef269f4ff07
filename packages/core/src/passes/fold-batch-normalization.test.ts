import { describe, expect, it } from 'vitest';
import { foldBatchNormalization } from './fold-batch-normalization.ts';
import { applied } from './test-graph.ts';

const parameters = 'float[2] g = {1,2}, float[2] b = {5,6}, float[2] m = {1,1}, float[2] v = {4,1}';
const conv = (body: string, opset?: number) =>
  applied(
    foldBatchNormalization,
    `(float[1,1,4,4] x) => (float[1,2,4,4] y) <float[2,1,1,1] w = {1,2}, ${parameters}> { ${body} }`,
    opset,
  );
const normalization = 'BatchNormalization <epsilon = 0.0> (h, g, b, m, v)';

describe('foldBatchNormalization', () => {
  it('scales the filters and makes a bias', () => {
    // (w·x − 1) · 1/2 + 5 and (2·x − 1) · 2 + 6
    expect(conv(`h = Conv (x, w)  y = ${normalization}`)).toEqual({
      count: 1,
      lines: [
        'float[2,1,1,1] w_folded = {0.5,4}',
        'float[2] w_bias_folded = {4.5,4}',
        'y = Conv (x, w_folded, w_bias_folded)',
      ].join('\n'),
    });
  });

  it('finds parameters in Constant nodes, which go with it', () => {
    const constants = ['g', 'b', 'm', 'v'].map((name) => `${name}2 = Constant <value = float[2] {1,1}> ()`).join(' ');
    const { count, lines } = conv(
      `${constants} h = Conv (x, w)  y = BatchNormalization <epsilon = 3.0> (h, g2, b2, m2, v2)`,
      9,
    );
    expect(count).toBe(1);
    expect(lines).toContain('w_folded = {0.5,1}');
    expect(lines).toContain('w_bias_folded = {0.5,0.5}');
    expect(lines).not.toContain('Constant');
  });

  it('scales ConvTranspose by the output channels of each group', () => {
    const { count, lines } = applied(
      foldBatchNormalization,
      `(float[1,2,2,2] x) => (float[1,2,2,2] y) <float[2,1,1,1] w = {1,2}, float[2] c = {1,2}, ${parameters}>
       { h = ConvTranspose <group = 2> (x, w, c)  y = ${normalization} }`,
    );
    expect(count).toBe(1);
    expect(lines).toContain('w_folded = {0.5,4}');
    expect(lines).toContain('c_folded = {5,8}');
  });

  it('scales Gemm, with its beta in the bias', () => {
    const { count, lines } = applied(
      foldBatchNormalization,
      `(float[n,1] x) => (float[n,2] y) <float[2,1] w = {1,2}, float[2] c = {1,2}, ${parameters}>
       { h = Gemm <alpha = 3.0, beta = 2.0, transB = 1> (x, w, c)  y = ${normalization} }`,
    );
    expect(count).toBe(1);
    expect(lines).toContain('w_folded = {0.5,4}');
    // (2·1 − 1) / 2 + 5 and (2·2 − 1) · 2 + 6
    expect(lines).toContain('c_folded = {5.5,12}');
    expect(lines).toContain('y = Gemm <alpha = 3.0, transB = 1> (x, w_folded, c_folded)');
  });

  it.each([
    ['when it trains', `h = Conv (x, w)  y = BatchNormalization <training_mode = 1> (h, g, b, m, v)`],
    ['when its statistics are read', `h = Conv (x, w)  y, p, q = BatchNormalization (h, g, b, m, v)`],
    ['when others see the value between', `h = Conv (x, w)  n = ${normalization}  y = Add (n, h)`],
    ['when it stands alone', `h = Concat <axis = 1> (x, x)  y = ${normalization}`],
    ['when the filters are computed', `f = Relu (w)  h = Conv (x, f)  y = ${normalization}`],
    ['when a parameter is computed', `r = Relu (v)  h = Conv (x, w)  y = BatchNormalization (h, g, b, m, r)`],
    ['when something stands between', `i = Conv (x, w)  h = Relu (i)  y = ${normalization}`],
  ])('leaves it %s', (_when, body) => {
    expect(conv(body).count).toBe(0);
  });

  it('leaves models from before opset 7, in which it trains by default', () => {
    expect(conv(`h = Conv (x, w)  y = ${normalization}`, 6).count).toBe(0);
  });
});
