import { describe, expect, it } from 'vitest';
import type { Node } from '../../ir/index.ts';
import { exactTarget, header, numbersOf, pairTarget, reasonsOf, retargeted } from './test-targets.ts';

const dynamic = (weights: string, body: string): string =>
  `${header()}g (float[n,2] x) => (float[n,2] y) <${weights}, float ws = {0.5}> { q, s, z = DynamicQuantizeLinear (x) ${body} }`;

const scaled = '[m] i = MatMulInteger (q, w, z, wz) f = Cast <to = 1> (i) c = Mul (s, ws) y = Mul (f, c)';
const risky = 'int8[2,2] w = {127, 60, 127, 60}, int8 wz = {0}';

const find = (nodes: Iterable<Node>, op: string): Node => {
  const node = [...nodes].find((one) => one.op === op);
  if (!node) throw new Error(`There is no ${op}.`);
  return node;
};

describe('pair-aware weights', () => {
  it('puts weights that may saturate on a coarser grid, with a scale for each channel', () => {
    const { model, nodes, actions } = retargeted(dynamic(risky, scaled), pairTarget);
    expect(nodes).toMatchInlineSnapshot(`
      "q, s, z = DynamicQuantizeLinear (x)
      [m] i = MatMulInteger (q, w_pair_aware, z, w_pair_aware_zero_point)
      f = Cast <to = 1> (i)
      c = Mul (s, ws_pair_aware)
      y = Mul (f, c)"
    `);
    expect(numbersOf(model, 'w_pair_aware')).toEqual([64, 60, 64, 60]);
    expect(numbersOf(model, 'ws_pair_aware')).toEqual([Math.fround((0.5 * 254) / 128), 0.5]);
    expect(actions).toMatchObject([
      { rewrite: 'pair-aware-weights', nodes: ['m'], predictedGain: 1, pairs: { columns: 2, risky: 1 } },
    ]);
  });

  it('finds the scale of MatMulInteger in the next Mul as well, and in either place', () => {
    for (const tail of ['y = Mul (ws, f)', 'g2 = Mul (f, s) y = Mul (g2, ws)'])
      expect(
        retargeted(dynamic(risky, `i = MatMulInteger (q, w, z, wz) f = Cast <to = 1> (i) ${tail}`), pairTarget).actions,
      ).toMatchObject([{ rewrite: 'pair-aware-weights' }]);
  });

  it('makes weights unsigned, which is exact, where their scale cannot be given by channel', () => {
    const { model, actions } = retargeted(
      dynamic(risky, '[m] i = MatMulInteger (q, w, z, wz) y = Cast <to = 1> (i)'),
      pairTarget,
    );
    expect(numbersOf(model, 'w')).toEqual([255, 188, 255, 188]);
    expect(numbersOf(model, 'wz_uint8')).toEqual([128]);
    expect(actions).toMatchObject([
      { rewrite: 'unsigned-weights', nodes: ['m'], identicalUpTo: 'all', predictedGain: 0.75 },
    ]);
  });

  it('says so where neither is possible', () => {
    const result = retargeted(
      `${header()}g (float[n,2] x) => (int32[n,2] y, int8[2,2] v) <${risky}> {
        q, s, z = DynamicQuantizeLinear (x) v = Identity (w) [m] y = MatMulInteger (q, w, z, wz) }`,
      pairTarget,
    );
    expect(result.maySaturate).toBe(true);
    expect(result.left).toMatchObject([{ op: 'MatMulInteger', nodes: ['m'], maySaturate: true }]);
  });

  it('leaves weights that cannot saturate, and everything where sums are exact', () => {
    const safe = 'int8[2,2] w = {64, 60, 64, 60}, int8 wz = {0}';
    expect(reasonsOf(retargeted(dynamic(safe, scaled), pairTarget))).toEqual([
      'MatMulInteger: its signed weights cannot saturate on the target: it is exact and fast already',
    ]);
    expect(retargeted(dynamic(risky, scaled), exactTarget).actions).toEqual([]);
  });

  it('makes unsigned weights signed where that is faster and no worse than 7 bits', () => {
    const { model, actions } = retargeted(
      dynamic('uint8[2,2] w = {200, 128, 200, 190}, uint8 wz = {128}', scaled),
      pairTarget,
    );
    expect(actions[0]?.predictedGain).toBeCloseTo(2 / 1.5, 10);
    expect(numbersOf(model, 'w_pair_aware').slice(1)).toEqual([0, 64, 62]);
  });

  it('leaves unsigned weights whose grid is too fine for signed ones', () => {
    const result = retargeted(dynamic('uint8[2,2] w = {255, 255, 255, 255}, uint8 wz = {0}', scaled), pairTarget);
    expect(result.actions).toEqual([]);
    expect(reasonsOf(result)[0]).toMatch(/^MatMulInteger: it stays exact with unsigned weights: .* worse than 7 bits/);
  });

  it('rescales the int32 bias of QGemm, and pairs along K of a transposed weight', () => {
    const { model } = retargeted(
      `${header()}g (float[n,2] x) => (float[n,2] y)
       <float s = {0.1}, uint8 z = {3}, int8[2,2] w = {127, 127, 60, 60}, float ws = {0.5}, int8 wz = {0}, int32[2] c = {1000, 1000}> {
         q = QuantizeLinear (x, s, z) y = com.microsoft.QGemm <transB = 1> (q, s, z, w, ws, wz, c) }`,
      pairTarget,
    );
    const gemm = find(model.graph.nodes(), 'QGemm');
    expect(numbersOf(model, gemm.inputs[3])).toEqual([64, 64, 60, 60]);
    expect(numbersOf(model, gemm.inputs[6])).toEqual([504, 1000]);
  });

  it('gives DequantizeLinear an axis and its bias the new scale, and drops what nobody reads any more', () => {
    const { model, nodes } = retargeted(
      `${header()}g (float[n,2] x) => (float[n,2] y)
       <float s = {0.1}, uint8 z = {3}, int8[2,2] w = {127, 60, 127, 60}, float ws = {0.5}, int8 wz = {0},
        int32[2] c = {1000, 1000}, float cs = {0.05}, int32 cz = {0}> {
         q = QuantizeLinear (x, s, z) a = DequantizeLinear (q, s, z) b = DequantizeLinear (w, ws, wz)
         d = DequantizeLinear (c, cs, cz) p = Gemm (a, b, d) r = QuantizeLinear (p, s, z) y = DequantizeLinear (r, s, z) }`,
      pairTarget,
    );
    expect(nodes.match(/= DequantizeLinear/g)).toHaveLength(4);
    const [weight, bias] = find(model.graph.nodes(), 'Gemm')
      .inputs.slice(1)
      .map((value) => value?.producer);
    expect(weight?.int('axis', -1)).toBe(1);
    expect(numbersOf(model, bias?.inputs[0])).toEqual([504, 1000]);
    expect(numbersOf(model, bias?.inputs[1])[0]).toBeCloseTo((0.05 * 254) / 128, 6);
  });

  it('pairs filters in the order in which convolutions read them', () => {
    const { model, actions } = retargeted(
      `${header()}g (float[1,2,3,3] x) => (float[1,1,2,3] y)
       <float s = {0.1}, uint8 z = {3}, int8[1,2,2,1] w = {127, 0, 0, 127}, float ws = {0.5}, int8 wz = {0}> {
         q = QuantizeLinear (x, s, z) r = QLinearConv (q, s, z, w, ws, wz, s, z) y = DequantizeLinear (r, s, z) }`,
      pairTarget,
    );
    // Taps in a row hold 127 of the first and 127 of the second channel, which are no neighbours: nothing saturates.
    expect(actions).toEqual([]);
    expect(numbersOf(model, 'w')).toEqual([127, 0, 0, 127]);
  });

  it('shares one new weight among all products of the old one', () => {
    const { model } = retargeted(
      `${header()}g (float[n,2] x) => (float[n,2] y) <int8[2,2] w = {127, 60, 127, 60}, float ws = {0.5}> {
         a = com.microsoft.DynamicQuantizeMatMul (x, w, ws) y = com.microsoft.DynamicQuantizeMatMul (a, w, ws) }`,
      pairTarget,
    );
    expect([...model.graph.initializers].filter(({ shape }) => shape?.length === 2)).toHaveLength(1);
  });

  it('leaves one scale for all where the opset has no other', () => {
    const result = retargeted(
      `${header(12)}g (float[n,2] x) => (float[n,2] y)
       <float s = {0.1}, uint8 z = {3}, int8[2,2] w = {127, 60, 127, 60}, float ws = {0.5}, int8 wz = {0}> {
         q = QuantizeLinear (x, s, z) a = DequantizeLinear (q, s, z) b = DequantizeLinear (w, ws, wz) y = MatMul (a, b) }`,
      pairTarget,
    );
    expect(result.actions).toMatchObject([{ rewrite: 'unsigned-weights' }]);
  });
});
