import { describe, expect, it } from 'vitest';
import { exactTarget, header, numbersOf, pairTarget, reasonsOf, retargeted } from './test-targets.ts';

const dynamic = (weights: string, body: string): string =>
  `${header()}g (float[n,2] x) => (float[n,2] y) <${weights}> { q, s, z = DynamicQuantizeLinear (x) ${body} }`;

describe('signed weights', () => {
  it('subtracts 128 from weights and zero point, and changes nothing else', () => {
    const { model, nodes, actions } = retargeted(
      dynamic(
        'uint8[2,2] w = {0, 255, 128, 7}, uint8 wz = {130}',
        '[m] i = MatMulInteger (q, w, z, wz) f = Cast <to = 1> (i) y = Mul (f, s)',
      ),
      exactTarget,
    );
    expect(nodes).toMatchInlineSnapshot(`
      "q, s, z = DynamicQuantizeLinear (x)
      [m] i = MatMulInteger (q, w, z, wz_int8)
      f = Cast <to = 1> (i)
      y = Mul (f, s)"
    `);
    expect(numbersOf(model, 'w')).toEqual([-128, 127, 0, -121]);
    expect(numbersOf(model, 'wz_int8')).toEqual([2]);
    expect(actions).toMatchObject([
      { rewrite: 'signed-weights', op: 'MatMulInteger', nodes: ['m'], identicalUpTo: 'all', predictedGain: 2.5 },
    ]);
  });

  it('gives a zero point that was left out', () => {
    const { model } = retargeted(
      dynamic('uint8[2,2] w = {0, 1, 2, 3}', 'i = MatMulInteger (q, w, z) y = Cast <to = 1> (i)'),
      exactTarget,
    );
    const [, node] = [...model.graph.nodes()];
    const zero = node?.inputs[3];
    expect(zero?.elementType).toBe('int8');
    expect(numbersOf(model, zero)).toEqual([-128]);
  });

  it('follows one zero point for each channel, shared weights, and weights behind Transpose, Identity and Constant', () => {
    const { model, nodes, actions } = retargeted(
      dynamic(
        'uint8[2,2] w = {1, 2, 3, 4}, uint8[2] wz = {3, 200}, float[2] ws = {1, 2}',
        `t = Transpose <perm = [1, 0]> (w) same = Identity (t)
         i = MatMulInteger (q, same, z, wz) f = Cast <to = 1> (i)
         c = Constant <value = uint8[2,2] {128, 128, 0, 255}> ()
         d = com.microsoft.DynamicQuantizeMatMul (x, w, ws, wz)
         e = com.microsoft.DynamicQuantizeMatMul (x, c, ws, wz) a = Add (f, d) y = Add (a, e)`,
      ),
      exactTarget,
    );
    expect(numbersOf(model, 'w')).toEqual([-127, -126, -125, -124]);
    expect(numbersOf(model, 'wz_int8')).toEqual([-125, 72]);
    expect(numbersOf(model, 'c')).toEqual([0, 0, -128, 127]);
    expect(nodes).not.toContain('Constant');
    expect(actions.map(({ op, nodes: ids }) => [op, ids.length])).toEqual([
      ['MatMulInteger', 1],
      ['DynamicQuantizeMatMul', 2],
    ]);
  });

  it('takes a tied table along, whose rows are dequantized where they are looked up', () => {
    const { model, actions } = retargeted(
      `${header()}g (int64[n] ids, float[n,2] x) => (float[n,2] e, float[n,2] y)
       <uint8[2,2] w = {1, 2, 3, 4}, uint8 wz = {3}, float ws = {0.5}, float[1] s1 = {0.5}> {
         r = Gather (w, ids) e = DequantizeLinear (r, ws, wz)
         t = Transpose (w) y = com.microsoft.DynamicQuantizeMatMul (x, t, s1, wz) }`,
      exactTarget,
    );
    expect(actions).toHaveLength(1);
    expect([...model.graph.initializers].filter(({ shape }) => shape?.length === 2)).toHaveLength(1);
    const dequantize = [...model.graph.nodes()].find(({ op }) => op === 'DequantizeLinear');
    expect(dequantize?.inputs[2]?.elementType).toBe('int8');
  });

  it('gives products weights of their own where somebody else needs the old ones', () => {
    const { model, actions } = retargeted(
      `${header()}g (float[n,2] x) => (float[n,2] y, uint8[2,2] w2)
       <uint8[2,2] w = {1, 2, 3, 4}, float ws = {0.5}> {
         w2 = Identity (w) y = com.microsoft.DynamicQuantizeMatMul (x, w, ws) }`,
      exactTarget,
    );
    expect(actions).toHaveLength(1);
    expect(numbersOf(model, 'w')).toEqual([1, 2, 3, 4]);
    expect(numbersOf(model, 'w_int8')).toEqual([-127, -126, -125, -124]);
  });

  it('covers operators between fixed scales, and float operators behind DequantizeLinear', () => {
    const { actions } = retargeted(
      `${header()}g (float[n,2] x) => (float[n,2] y)
       <uint8[2,2] w = {1, 2, 3, 4}, uint8[2,2] v = {1, 2, 3, 4}, uint8 z = {128}, float s = {0.5}> {
         q = QuantizeLinear (x, s, z) m = QLinearMatMul (q, s, z, w, s, z, s, z)
         a = DequantizeLinear (m, s, z) b = DequantizeLinear (v, s, z) [p] p = MatMul (a, b)
         r = QuantizeLinear (p, s, z) y = DequantizeLinear (r, s, z) }`,
      exactTarget,
    );
    expect(actions.map(({ op }) => op)).toEqual(['QLinearMatMul', 'MatMul']);
  });

  it('leaves what the target gains nothing with, and says why', () => {
    const signedActivations = retargeted(
      `${header()}g (int8[n,2] x) => (int32[n,2] y) <uint8[2,2] w = {1, 2, 3, 4}> { y = MatMulInteger (x, w) }`,
      { ...exactTarget, capabilities: exactTarget.capabilities.filter(({ weight }) => weight === 'int8') },
    );
    expect(signedActivations.actions).toEqual([]);
    expect(reasonsOf(signedActivations).join()).toMatch(/input of the graph in this type|activations are int8/);

    const asFast = { ...exactTarget, capabilities: exactTarget.capabilities.map((one) => ({ ...one, speed: 2 })) };
    const text = dynamic('uint8[2,2] w = {1, 2, 3, 4}', 'i = MatMulInteger (q, w, z) y = Cast <to = 1> (i)');
    expect(reasonsOf(retargeted(text, asFast))).toEqual(['MatMulInteger: unsigned weights are as fast on the target']);
    expect(reasonsOf(retargeted(text, { capabilities: [], features: [] }))).toEqual([
      'MatMulInteger: no integer kernel with signed weights is claimed for the target',
    ]);
    expect(retargeted(text, pairTarget).actions.map(({ rewrite }) => rewrite)).not.toContain('signed-weights');
  });

  it('leaves computed weights and computed zero points', () => {
    const computed = `${header()}g (float[n,2] x, uint8[2,2] w) => (int32[n,2] y)
      { q, s, z = DynamicQuantizeLinear (x) y = MatMulInteger (q, w, z) }`;
    expect(reasonsOf(retargeted(computed, exactTarget))).toEqual([
      'MatMulInteger: its second operand is computed, not stored',
    ]);
    const zeroPoint = `${header()}g (float[n,2] x, uint8 wz) => (int32[n,2] y) <uint8[2,2] w = {1, 2, 3, 4}>
      { q, s, z = DynamicQuantizeLinear (x) y = MatMulInteger (q, w, z, wz) }`;
    const result = retargeted(zeroPoint, exactTarget);
    expect(reasonsOf(result)).toEqual(['MatMulInteger: the zero point "wz" of MatMulInteger is computed']);
    expect(numbersOf(result.model, 'w')).toEqual([1, 2, 3, 4]);
  });
});
