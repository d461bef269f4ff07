import { describe, expect, it } from 'vitest';
import type { Capability, Recipe } from '../backend/index.ts';
import { type Model, verify } from '../ir/index.ts';
import { parseModel, printModel } from '../text/index.ts';
import { annotate } from './annotate.ts';
import { realize } from './realize.ts';

const claim = (fields: Partial<Capability> & Pick<Capability, 'id' | 'op'>): Capability => ({
  mode: 'dynamic',
  activation: 'uint8',
  weight: 'int8',
  granularity: ['channel', 'tensor'],
  requires: [],
  kernels: [],
  exact: 'always',
  speed: 2,
  opset: 11,
  source: 'test',
  ...fields,
});
const capabilities: readonly Capability[] = [
  claim({ id: 'matmul', op: 'MatMul' }),
  claim({ id: 'conv', op: 'Conv', granularity: ['tensor'], speed: 0.5 }),
  claim({ id: 'rows', op: 'Gather', granularity: ['row'], opset: 1 }),
  claim({ id: 'table', op: 'Gather', weight: 'uint8', granularity: ['tensor'], opset: 10 }),
];
const latency: Recipe = {
  id: 'latency',
  description: '',
  mode: 'dynamic',
  weights: 'by-capability',
  embeddings: 'int8-row',
  operators: ['MatMul', 'Gemm', 'Gather', 'Conv'],
  weightsFrom: 'anywhere',
  smallestTable: 1,
  valueInfo: 'keep',
  onlyIfFaster: true,
  session: {},
};
const compatible: Recipe = {
  ...latency,
  id: 'compatible',
  weights: 'int8-tensor',
  embeddings: 'uint8-tensor',
  weightsFrom: 'initializers',
  onlyIfFaster: false,
};

/** A model in text, its plan, and the quantized graph in text. */
function quantized(text: string, recipe = latency): { model: Model; graph: string; decisions: Record<string, string> } {
  const model = parseModel(text);
  const plan = annotate(model, { capabilities, features: [], recipe, target: 'test' });
  realize(model, plan);
  expect(verify(model)).toEqual([]);
  const decisions = Object.fromEntries(
    plan.entries.map(({ id, decision }) => [id, decision.action === 'float' ? decision.reason.code : decision.action]),
  );
  return { model, graph: nodesOf(model), decisions };
}

/** The nodes as text, one a line, without header and weights. */
const nodesOf = (model: Model): string =>
  printModel(model)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => / = \w/.test(line))
    .join('\n');

const header = (opset = 17): string => `<ir_version: 8, opset_import: ["": ${opset}]>\n`;

describe('realize', () => {
  it('makes MatMul a DynamicQuantizeLinear, MatMulInteger, Cast and two Mul', () => {
    const { graph } = quantized(
      `${header()}g (float[n,2] x) => (float[n,3] y) <float[2,3] w = {1,2,3,4,5,6}> { [m] y = MatMul (x, w) }`,
    );
    expect(graph).toMatchInlineSnapshot(`
      "[x_QuantizeLinear] DynamicQuantizeLinear_output_5, DynamicQuantizeLinear_output_6, DynamicQuantizeLinear_output_7 = DynamicQuantizeLinear (x)
      [m_quant] MatMulInteger_output_8 = MatMulInteger (DynamicQuantizeLinear_output_5, w_quantized, DynamicQuantizeLinear_output_7, w_zero_point)
      [m_cast] Cast_output_9 = Cast <to = 1> (MatMulInteger_output_8)
      [m_scales_mul] Mul_output_10 = Mul (DynamicQuantizeLinear_output_6, w_scale)
      [m_output_scale_mul] y = Mul (Cast_output_9, Mul_output_10)"
    `);
  });

  it('quantizes an activation once for all its readers', () => {
    const { graph } = quantized(
      `${header()}g (float[n,2] x) => (float[n,2] q, float[n,2] k) <float[2,2] a = {1,2,3,4}, float[2,2] b = {5,6,7,8}>
       { q = MatMul (x, a)  k = MatMul (x, b) }`,
    );
    expect(graph.match(/= DynamicQuantizeLinear/g)).toHaveLength(1);
    expect(graph.match(/= MatMulInteger/g)).toHaveLength(2);
  });

  it('gives Gemm its transposed weight, alpha, beta and bias, and leaves a shared weight to its other readers', () => {
    const { graph, decisions } = quantized(
      `${header()}g (float[n,2] x) => (float[n,3] y, float[3,2] z)
       <float[3,2] w = {1,2,3,4,5,6}, float[3] c = {1,2,4}>
       { [g] y = Gemm <alpha = 0.5, beta = 2.0, transB = 1> (x, w, c)  z = Relu (w) }`,
    );
    expect(decisions).toEqual({ g: 'matmul' });
    expect(graph).toMatchInlineSnapshot(`
      "[x_QuantizeLinear] DynamicQuantizeLinear_output_9, DynamicQuantizeLinear_output_10, DynamicQuantizeLinear_output_11 = DynamicQuantizeLinear (x)
      [g_quant] MatMulInteger_output_12 = MatMulInteger (DynamicQuantizeLinear_output_9, w_quantized, DynamicQuantizeLinear_output_11, w_zero_point)
      [g_cast] Cast_output_13 = Cast <to = 1> (MatMulInteger_output_12)
      [g_scales_mul] Mul_output_14 = Mul (DynamicQuantizeLinear_output_10, w_scale)
      [g_output_scale_mul] y_MatMul = Mul (Cast_output_13, Mul_output_14)
      [g_bias_add] y = Add (y_MatMul, c_scaled)
      z = Relu (w)"
    `);
  });

  it('looks rows up in 8 bits with their scales', () => {
    const { graph } = quantized(
      `${header()}g (int64[n] ids) => (float[n,2] y) <float[3,2] table = {1,2,3,4,5,6}> { [e] y = Gather (table, ids) }`,
    );
    expect(graph).toMatchInlineSnapshot(`
      "[e_quant] Gather_output_4 = Gather (table_quantized, ids)
      [e_scale] Gather_output_5 = Gather (table_scale, ids)
      [e_cast] Cast_output_6 = Cast <to = 1> (Gather_output_4)
      [e_scale_mul] y = Mul (Cast_output_6, Gather_output_5)"
    `);
  });

  it('stores a tied table and head once', () => {
    const { model, graph } = quantized(
      `${header()}g (int64[n] ids) => (float[n,3] logits) <float[3,2] table = {1,2,3,4,5,6}>
       { h = Gather (table, ids)  t = Transpose <perm = [1, 0]> (table)  logits = MatMul (h, t) }`,
    );
    expect([...model.graph.initializers].map(({ name }) => name)).toEqual(['table_quantized', 'table_scale']);
    expect(graph).toMatchInlineSnapshot(`
      "Gather_output_5 = Gather (table_quantized, ids)
      Gather_output_6 = Gather (table_scale, ids)
      Cast_output_7 = Cast <to = 1> (Gather_output_5)
      h = Mul (Cast_output_7, Gather_output_6)
      [h_QuantizeLinear] DynamicQuantizeLinear_output_8, DynamicQuantizeLinear_output_9, DynamicQuantizeLinear_output_10 = DynamicQuantizeLinear (h)
      [table_quantized_transpose] Transpose_output_11 = Transpose <perm = [1, 0]> (table_quantized)
      MatMulInteger_output_12 = MatMulInteger (DynamicQuantizeLinear_output_8, Transpose_output_11, DynamicQuantizeLinear_output_10)
      Transpose_output_13 = Transpose <perm = [1, 0]> (table_scale)
      Cast_output_14 = Cast <to = 1> (MatMulInteger_output_12)
      Mul_output_15 = Mul (DynamicQuantizeLinear_output_9, Transpose_output_13)
      logits = Mul (Cast_output_14, Mul_output_15)"
    `);
  });

  it.each([
    ['a Constant node', '{ w = Constant <value = float[2,2] {1,2,3,4}> ()  y = MatMul (x, w) }'],
    ['behind Identity', '<float[2,2] v = {1,2,3,4}> { w = Identity (v)  y = MatMul (x, w) }'],
    ['behind Transpose', '<float[2,2] v = {1,2,3,4}> { w = Transpose (v)  y = MatMul (x, w) }'],
    ['behind Cast from float16', '<float16[2,2] v = {1,2,3,4}> { w = Cast <to = 1> (v)  y = MatMul (x, w) }'],
    ['behind Reshape', '<float[4] v = {1,2,3,4}, int64[2] s = {2,-1}> { w = Reshape (v, s)  y = MatMul (x, w) }'],
    [
      'behind Unsqueeze and Squeeze',
      '<float[2,2] v = {1,2,3,4}, int64[1] a = {0}> { u = Unsqueeze (v, a)  w = Squeeze (u, a)  y = MatMul (x, w) }',
    ],
  ])('finds a weight in %s, and leaves nothing of it behind', (_where, body) => {
    const { model, graph } = quantized(`${header()}g (float[n,2] x) => (float[n,2] y) ${body}`);
    expect(graph).toContain('MatMulInteger');
    expect(graph).not.toMatch(/Identity|Transpose|Reshape|Squeeze|= Constant/);
    for (const value of model.graph.initializers) expect(value.elementType).not.toBe('float16');
  });

  it('treats a weight that is also an input (IR < 4) as the constant that it is, and takes the input away', () => {
    const model = parseModel(
      `<ir_version: 3, opset_import: ["": 11]> g (float[n,2] x, float[2,2] w = {1,2,3,4}) => (float[n,2] y) { y = MatMul (x, w) }`,
    );
    const plan = annotate(model, { capabilities, features: [], recipe: latency, target: 'test' });
    expect(realize(model, plan).removedInputs).toEqual(['w']);
    expect(model.graph.inputs.map(({ name }) => name)).toEqual(['x']);
  });

  it('reaches weights of branches and of the graph around them', () => {
    const { graph, decisions } = quantized(
      `${header()}g (bool c, float[n,2] x) => (float[n,2] y) <float[2,2] outer = {1,2,3,4}>
       { [i] y = If (c) <
           then_branch = t () => (float[n,2] a) { [m] a = MatMul (x, outer) },
           else_branch = e () => (float[n,2] b) { w = Constant <value = float[2,2] {1,2,3,4}> ()  [o] b = MatMul (x, w) }
         > }`,
    );
    expect(decisions).toEqual({ m: 'matmul', o: 'matmul' });
    expect(graph.match(/= MatMulInteger/g)).toHaveLength(2);
  });

  it('serves opsets before 11 with the fused operator of the runtime', () => {
    const { model, graph } = quantized(
      `${header(9)}g (float[n,2] x) => (float[n,2] y) <float[2,2] w = {1,2,3,4}> { y = MatMul (x, w) }`,
    );
    expect(graph).toMatchInlineSnapshot(
      `"y = com.microsoft.DynamicQuantizeMatMul (x, w_quantized, w_scale, w_zero_point)"`,
    );
    expect(model.opset('com.microsoft')).toBe(1);
  });

  it('keeps names of outputs, and works where nothing has a name', () => {
    const { model } = quantized(
      `${header()}g (float[n,2] x) => (float[n,2] y) <float[2,2] a = {1,2,3,4}> { h = MatMul (x, a)  y = MatMul (h, a) }`,
    );
    expect(model.graph.outputs.map(({ name }) => name)).toEqual(['y']);
    expect([...model.graph.initializers]).toHaveLength(3);
  });

  it('follows the compatible recipe: tables of any size per tensor, convolutions, direct initializers only', () => {
    const { graph, decisions } = quantized(
      `${header()}g (int64[n] ids, float[1,1,4] x, float[n,2] h) => (float[n,1] e, float[1,2,3] c, float[n,2] y)
       <float[2,1] table = {1,2}, float[2,1,2] f = {1,2,3,4}, float[2] bias = {1,2}, float[2,2] v = {1,2,3,4}>
       { [e] e = Gather (table, ids)  [c] c = Conv (x, f, bias)  w = Identity (v)  [m] y = MatMul (h, w) }`,
      compatible,
    );
    expect(decisions).toEqual({ e: 'embedding', c: 'conv', m: 'recipe' });
    expect(graph).toMatchInlineSnapshot(`
      "[e_quant] Gather_output_16 = Gather (table_quantized, ids)
      [e_dequantize] e = DequantizeLinear (Gather_output_16, table_scale, table_zero_point)
      [x_QuantizeLinear] DynamicQuantizeLinear_output_17, DynamicQuantizeLinear_output_18, DynamicQuantizeLinear_output_19 = DynamicQuantizeLinear (x)
      [c_quant] ConvInteger_output_20 = ConvInteger (DynamicQuantizeLinear_output_17, f_quantized, DynamicQuantizeLinear_output_19, f_zero_point)
      [c_cast] Cast_output_21 = Cast <to = 1> (ConvInteger_output_20)
      [c_scales_mul] Mul_output_22 = Mul (DynamicQuantizeLinear_output_18, f_scale)
      [c_output_scale_mul] Mul_output_23 = Mul (Cast_output_21, Mul_output_22)
      [c_bias_reshape] Reshape_output_24 = Reshape (bias, bias_reshape_shape)
      [c_bias_add] c = Add (Mul_output_23, Reshape_output_24)
      w = Identity (v)
      [m] y = MatMul (h, w)"
    `);
  });
});

describe('annotate', () => {
  const decide = (body: string, inputs = 'float[n,2] x'): Record<string, string> => {
    const spare = '[spare] s = MatMul (x, spare_w)';
    return quantized(
      `${header()}g (${inputs}) => (float[n,2] s) <float[2,2] spare_w = {1,2,3,4}, float[2,2] w = {1,2,3,4}, float[1,2,2] w3 = {1,2,3,4}, double[2,2] d = {1,2,3,4}, float[0,2] none = {}> { ${spare} ${body} }`,
    ).decisions;
  };

  it.each([
    ['two computed operands', '[m] y = MatMul (x, x)', 'not-constant'],
    ['the weight first', '[m] y = MatMul (w, x)', 'not-constant'],
    ['a stack of matrices', '[m] y = MatMul (x, w3)', 'shape'],
    ['an empty weight', '[m] y = MatMul (x, none)', 'shape'],
    ['double', '[m] y = MatMul (x, d)', 'element-type'],
    ['a transposed activation', '[m] y = Gemm <transA = 1> (x, w)', 'attributes'],
    ['alpha of zero', '[m] y = Gemm <alpha = 0.0> (x, w)', 'attributes'],
    ['a lookup along columns', '[m] y = Gather <axis = 1> (w, i)', 'attributes'],
    ['what gets no faster', '[m] y = Conv (x, w3)', 'no-faster'],
    ['what the recipe leaves', '[m] y = Einsum <equation = "ij,jk->ik"> (x, w)', 'recipe'],
  ])('leaves %s in float and says why', (_what, body, reason) => {
    expect(decide(body, 'float[n,2] x, int64[n] i').m).toBe(reason);
  });

  it('leaves the bodies of functions, which hold no weights', () => {
    const { decisions } = quantized(
      `<ir_version: 8, opset_import: ["": 17, "own": 1]> g (float[n,2] x) => (float[n,2] y) <float[2,2] w = {1,2,3,4}>
       { [m] h = MatMul (x, w)  y = own.Twice (h) }
       <domain: "own", opset_import: ["": 17]> Twice (x) => (y) { w = Constant <value = float[2,2] {1,2,3,4}> ()  [f] y = MatMul (x, w) }`,
    );
    expect(decisions).toEqual({ m: 'matmul', f: 'function' });
  });

  it('refuses what is quantized already, and what has nothing to quantize', () => {
    const plan = (text: string) =>
      annotate(parseModel(text), { capabilities, features: [], recipe: latency, target: 't' });
    expect(() =>
      plan(`${header()}g (uint8[n,2] x) => (int32[n,2] y) <int8[2,2] w = {1,2,3,4}> { y = MatMulInteger (x, w) }`),
    ).toThrow(expect.objectContaining({ code: 'E_ALREADY_QUANTIZED' }));
    expect(() => plan(`${header()}g (float[n,2] x) => (float[n,2] y) { y = Relu (x) }`)).toThrow(
      expect.objectContaining({ code: 'E_NOTHING_TO_QUANTIZE' }),
    );
  });
});
