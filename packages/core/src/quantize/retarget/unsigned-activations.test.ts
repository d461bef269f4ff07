import { describe, expect, it } from 'vitest';
import { exactTarget, header, numbersOf, pairTarget, reasonsOf, retargeted } from './test-targets.ts';

const qdq = (body: string, more = ''): string =>
  `${header()}g (float[n,2] x) => (float[n,2] y)
   <float s = {0.1}, int8 z = {-3}, int8[2,2] w = {1, -2, 3, -4}, float ws = {0.2}, int8 wz = {0}${more}> { ${body} }`;

describe('unsigned activations', () => {
  it('adds 128 to the zero points of activations, and leaves weights signed', () => {
    const { model, nodes, actions } = retargeted(
      qdq(
        `q = QuantizeLinear (x, s, z) a = DequantizeLinear (q, s, z) b = DequantizeLinear (w, ws, wz)
         [m] p = MatMul (a, b) r = QuantizeLinear (p, s, z) y = DequantizeLinear (r, s, z)`,
      ),
      exactTarget,
    );
    expect(nodes).toMatchInlineSnapshot(`
      "q = QuantizeLinear (x, s, z_uint8)
      a = DequantizeLinear (q, s, z_uint8)
      b = DequantizeLinear (w, ws, wz)
      [m] p = MatMul (a, b)
      r = QuantizeLinear (p, s, z_uint8)
      y = DequantizeLinear (r, s, z_uint8)"
    `);
    expect(numbersOf(model, 'z_uint8')).toEqual([125]);
    expect(numbersOf(model, 'w')).toEqual([1, -2, 3, -4]);
    expect(actions).toMatchObject([{ rewrite: 'unsigned-activations', nodes: ['m'], identicalUpTo: 'basic' }]);
  });

  it('goes through what only moves numbers, and takes constants that meet activations along', () => {
    const { model } = retargeted(
      qdq(
        `q = QuantizeLinear (x, s, z) t = Reshape (q, shape) a = DequantizeLinear (t, s, z)
         b = DequantizeLinear (w, ws, wz) p = MatMul (a, b) r = QuantizeLinear (p, s, z) d = DequantizeLinear (r, s, z)
         k = DequantizeLinear (c, s, z) e = Add (d, k) f = QuantizeLinear (e, s, z) y = DequantizeLinear (f, s, z)`,
        ', int64[2] shape = {-1, 2}, int8[2] c = {-128, 127}',
      ),
      exactTarget,
    );
    expect(numbersOf(model, 'c')).toEqual([0, 255]);
    expect(
      [...model.graph.nodes()].filter(({ op }) => op === 'QuantizeLinear').map(({ inputs }) => inputs[2]?.name),
    ).toEqual(['z_uint8', 'z_uint8', 'z_uint8']);
  });

  it('keeps operators between integers of one type', () => {
    const { model, actions } = retargeted(
      qdq(
        `q = QuantizeLinear (x, s, z) m = QLinearMatMul (q, s, z, w, ws, wz, s, z)
         a = com.microsoft.QLinearAdd (m, s, z, c, s, z, s, z) y = DequantizeLinear (a, s, z)`,
        ', int8[2] c = {-128, 127}',
      ),
      exactTarget,
    );
    expect(numbersOf(model, 'c')).toEqual([0, 255]);
    const add = [...model.graph.nodes()].find(({ op }) => op === 'QLinearAdd');
    expect([2, 5, 7].map((index) => add?.inputs[index]?.elementType)).toEqual(['uint8', 'uint8', 'uint8']);
    // Its zero points are folded into a float, which may round otherwise.
    expect(actions).toMatchObject([{ identicalUpTo: 'none' }]);
  });

  it('gives a zero point that was left out', () => {
    const { model } = retargeted(
      `<ir_version: 10, opset_import: ["": 21]> g (float[n,2] x) => (float[n,2] y)
       <float s = {0.1}, int8[2,2] w = {1, -2, 3, -4}> {
         q = QuantizeLinear <output_dtype = 3> (x, s) a = DequantizeLinear (q, s) b = DequantizeLinear (w, s)
         y = MatMul (a, b) }`,
      exactTarget,
    );
    const [quantize, dequantize] = [...model.graph.nodes()];
    expect(quantize?.int('output_dtype', 0)).toBe(2);
    expect(numbersOf(model, quantize?.inputs[2])).toEqual([128]);
    expect(numbersOf(model, dequantize?.inputs[2])).toEqual([128]);
  });

  it('leaves activations whose type somebody outside relies on', () => {
    const result = retargeted(
      `${header()}g (float[n,2] x) => (int8[n,2] q, float[n,2] y)
       <float s = {0.1}, int8 z = {-3}, int8[2,2] w = {1, -2, 3, -4}, int8 wz = {0}> {
         q = QuantizeLinear (x, s, z) a = DequantizeLinear (q, s, z) b = DequantizeLinear (w, s, wz)
         y = MatMul (a, b) }`,
      exactTarget,
    );
    expect(result.actions).toEqual([]);
    expect(reasonsOf(result)[0]).toMatch(/"q" is an output of the graph in this type/);
  });

  it('leaves a model whose activations are unsigned already', () => {
    const text = qdq(
      `q = QuantizeLinear (x, s, u) a = DequantizeLinear (q, s, u) b = DequantizeLinear (w, ws, wz) y = MatMul (a, b)`,
      ', uint8 u = {3}',
    );
    expect(retargeted(text, exactTarget).actions).toEqual([]);
    expect(retargeted(text, pairTarget).actions).toEqual([]);
  });
});
