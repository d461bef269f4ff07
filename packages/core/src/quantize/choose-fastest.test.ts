import { describe, expect, it } from 'vitest';
import { parseModel } from '../text/index.ts';
import { type ChooseFastestOptions, chooseFastest, type OperatorCost } from './choose-fastest.ts';

/** Forms of the operators named a, b, c, …, joined. */
function forms(
  body: string,
  costs: Readonly<Record<string, Partial<OperatorCost>>>,
  options?: ChooseFastestOptions,
): string {
  const model = parseModel(
    `<ir_version: 8, opset_import: ["": 17]> g (float[1,4,n,n] x, float[4,4,1,1] w, float[4,4] m) => (y) { ${body} }`,
  );
  const full = Object.entries(costs).map(([id, cost]) => ({
    id,
    floatUs: 100,
    quantizeUs: 10,
    dequantizeUs: 10,
    ...cost,
  }));
  return [...chooseFastest(model, full, options)].map(([id, form]) => `${id} ${form}`).join(', ');
}

describe('chooseFastest', () => {
  it.each([
    ['makes static what saves more than its conversions', 74, 'a static'],
    ['leaves what saves less than the margin', 76, 'a float'],
    ['leaves what its conversions eat up', 81, 'a float'],
  ])('%s', (_what, staticUs, expected) => {
    // It saves 100 − 10 − 10 − staticUs, and 5 is the margin.
    expect(forms('[a] y = Conv (x, w)', { a: { staticUs } })).toBe(expected);
  });

  it('keeps a slow operator static between fast ones, where conversions would cost more', () => {
    const body = '[a] h = Conv (x, w)  [b] i = Conv (h, w)  [c] y = Conv (i, w)';
    const fast = { staticUs: 30, quantizeUs: 40, dequantizeUs: 40 };
    // All static 280, all float 300, only b float 320.
    expect(forms(body, { a: fast, b: { ...fast, staticUs: 140 }, c: fast })).toBe('a static, b static, c static');
    // All static 320.
    expect(forms(body, { a: fast, b: { ...fast, staticUs: 180 }, c: fast })).toBe('a float, b float, c float');
    expect(
      forms(body, { a: { ...fast, staticUs: 5 }, b: { ...fast, staticUs: 400 }, c: { ...fast, staticUs: 5 } }),
    ).toBe('a static, b float, c static');
  });

  it('leaves a chain whose conversions eat up what all of it saves', () => {
    const cost = { staticUs: 90, quantizeUs: 15, dequantizeUs: 15 };
    expect(forms('[a] h = Conv (x, w)  [b] y = Conv (h, w)', { a: cost, b: cost })).toBe('a float, b float');
  });

  it('lets integers through movers and clippings, but not through what needs float', () => {
    const costs = { a: { staticUs: 78 }, b: { staticUs: 78 } };
    const between = (op: string): string => forms(`[a] h = Conv (x, w)  i = ${op} (h)  [b] y = Conv (i, w)`, costs);
    // Two conversions for both (saving 44 − 20), or two for each (22 − 20 is below the margin of 5).
    expect(between('Relu')).toBe('a static, b static');
    expect(between('Identity')).toBe('a static, b static');
    expect(between('HardSigmoid')).toBe('a float, b float');
    expect(between('own.Relu')).toBe('a float, b float');
  });

  it('pays one QuantizeLinear for all readers of a value', () => {
    const body = '[a] h = Conv (x, w)  [b] i = Conv (x, w)  y = Add (h, i)';
    const cost = { staticUs: 50, quantizeUs: 60, dequantizeUs: 1 };
    expect(forms(body, { a: cost, b: cost })).toBe('a static, b static');
    expect(forms('[a] y = Conv (x, w)', { a: cost })).toBe('a float');
  });

  it('pays one DequantizeLinear for each that needs float', () => {
    const costs = { a: { staticUs: 80, dequantizeUs: 30 }, b: { staticUs: 1, dequantizeUs: 0 } };
    expect(forms('[a] h = Conv (x, w)  [b] y = Conv (h, w)', costs)).toBe('a static, b static');
    expect(forms('[a] h = Conv (x, w)  [b] i = Conv (h, w)  s = Sin (h)  y = Add (s, i)', costs)).toBe(
      'a float, b static',
    );
    const cost = { a: { staticUs: 60 } };
    expect(forms('[a] h = Conv (x, w)  y = Sin (h)', cost)).toBe('a static');
    expect(forms('[a] h = Conv (x, w)  s = HardSigmoid (h)  y = Mul (h, s)', cost)).toBe('a static');
    expect(forms('[a] h = Conv (x, w)  s = Sin (h)  t = Cos (h)  u = Mul (s, t)  y = Mul (h, u)', cost)).toBe(
      'a float',
    );
  });

  it('takes the faster of dynamic and static, and neither when it gains nothing', () => {
    const body = '[a] y = MatMul (x, m)';
    expect(forms(body, { a: { dynamicUs: 30 } })).toBe('a dynamic');
    expect(forms(body, { a: { dynamicUs: 97 } })).toBe('a float');
    expect(forms(body, { a: { dynamicUs: 40, staticUs: 25 } })).toBe('a dynamic');
    expect(forms(body, { a: { dynamicUs: 60, staticUs: 25 } })).toBe('a static');
  });

  it("does not follow noise: the margin is the caller's", () => {
    const costs = { a: { staticUs: 77 } };
    expect(forms('[a] y = Conv (x, w)', costs)).toBe('a float');
    expect(forms('[a] y = Conv (x, w)', costs, { margin: 0.01 })).toBe('a static');
  });

  it('knows nothing of operators without costs', () => {
    expect(forms('[a] h = Conv (x, w)  [b] y = Conv (h, w)', { a: { staticUs: 10 } })).toBe('a static');
  });
});
