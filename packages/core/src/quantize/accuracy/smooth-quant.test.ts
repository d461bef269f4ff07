import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../foundation/index.ts';
import { type Model, verify, walkNodes } from '../../ir/index.ts';
import { valueIds } from '../../plan/index.ts';
import { printModel } from '../../text/index.ts';
import type { Observed } from './observed.ts';
import { productsOf } from './product.ts';
import { smoothQuant, smoothQuantRequests } from './smooth-quant.ts';
import { type MakeModel, modelOf, normalInput, observe, quantized, relativeDistance, runModel } from './test-layers.ts';

const opsOf = (model: Model): string[] => [...walkNodes(model)].map(({ op }) => op);
const feedsOf = (dims: readonly number[], count = 4) =>
  Array.from({ length: count }, (_, seed) => ({ x: normalInput(dims, seed + 1) }));

/** What smoothing makes of a model: float outputs, int8 errors before and after. */
async function smoothed(make: MakeModel, dims: readonly number[], options = {}) {
  const feeds = feedsOf(dims);
  const observed = await observe(make(), smoothQuantRequests(make()), feeds);
  const model = make();
  const report = smoothQuant(model, observed, options);
  expect(verify(model)).toEqual([]);
  const ops = opsOf(model);
  const exact = await runModel(make(), feeds);
  const drift = relativeDistance(await runModel(model, feeds), exact);
  const before = relativeDistance(await runModel(quantized(make()), feeds), exact);
  const after = relativeDistance(await runModel(quantized(model), feeds), exact);
  return { report, ops, drift, before, after };
}

const attention = modelOf(
  `(float[b, 6, 16] x) => (float[b, 6, 16] y)
   <float[16] g = outlier, float[16] b = outlier*0.1, float[16,16] wq = inlier, float[16,16] wk = inlier, float[16,16] wv = inlier,
    float[16] bv = normal, float[16,16] wo = normal, int64[4] heads = {0, 6, 4, 4}, int64[3] flat = {0, 6, 16}>
   { n = LayerNormalization <axis = -1> (x, g, b)
     q = MatMul (n, wq)  k = MatMul (n, wk)  m = MatMul (n, wv)  v = Add (bv, m)
     qh = Reshape (q, heads)  qt = Transpose <perm = [0, 2, 1, 3]> (qh)
     kh = Reshape (k, heads)  kt = Transpose <perm = [0, 2, 3, 1]> (kh)
     vh = Reshape (v, heads)  vt = Transpose <perm = [0, 2, 1, 3]> (vh)
     s = MatMul (qt, kt)  p = Softmax <axis = -1> (s)  c = MatMul (p, vt)
     ct = Transpose <perm = [0, 2, 1, 3]> (c)  cf = Reshape (ct, flat)  y = MatMul (cf, wo) }`,
);

describe('smoothQuant', () => {
  it('folds into the normalization that feeds queries, keys and values', async () => {
    const { report, ops, drift, before, after } = await smoothed(attention, [2, 6, 16]);
    expect(ops).toEqual(opsOf(attention()));
    expect(drift).toBeLessThan(1e-5);
    expect(before / after).toBeGreaterThan(10);
    expect(report.notes).toContain('1 × folded into LayerNormalization');
    expect(report.errorBefore / report.errorAfter).toBeGreaterThan(10);
  });

  it('helps static ranges too', async () => {
    const { drift, before, after } = await smoothed(attention, [2, 6, 16], { activations: 'static' });
    expect(drift).toBeLessThan(1e-5);
    expect(before / after).toBeGreaterThan(10);
  });

  it.each([
    [
      'Gemm with transB, and weights in Constant nodes and behind Transpose',
      `(float[6, 16] x) => (float[6, 16] y) <float[16] g = outlier, float[16,16] a = inlier, float[16,16] w = normal, float[16] c = normal>
       { n = LayerNormalization (x, g)  t = Transpose <perm = [1, 0]> (a)  i = Identity (c)
         h = Gemm <transB = 1, beta = 0.5> (n, t, i)  r = Relu (h)  y = MatMul (r, w) }`,
      ['1 × folded into LayerNormalization', '1 × folded into Gemm'],
    ],
    [
      'a normalization in single operators',
      `(float[b, 6, 16] x) => (float[b, 6, 16] y) <float[16] g = outlier, float[16] b = outlier, float[16,16] w = inlier, float two = {2}, float small = {0.00001}>
       { m = ReduceMean <axes = [-1]> (x)  d = Sub (x, m)  q = Pow (d, two)  v = ReduceMean <axes = [-1]> (q)  e = Add (v, small)
         s = Sqrt (e)  n = Div (d, s)  h = Mul (n, g)  i = Add (h, b)  y = MatMul (i, w) }`,
      ['1 × folded into Mul'],
    ],
    [
      'a gated product',
      `(float[b, 6, 16] x) => (float[b, 6, 16] y) <float[16,16] u = outlier, float[16,16] v = normal, float[16,16] w = inlier>
       { a = MatMul (x, v)  i = Sigmoid (a)  j = Mul (a, i)  k = MatMul (x, u)  h = Mul (j, k)  y = MatMul (h, w) }`,
      ['1 × folded into MatMul'],
    ],
    [
      'another reader that multiplies the channels back',
      `(float[b, 6, 16] x) => (float[b, 6, 16] y) <float[16] g = outlier, float[16] r = inlier, float[16,16] w = inlier>
       { n = LayerNormalization (x, g)  h = MatMul (n, w)  o = Mul (n, r)  y = Add (h, o) }`,
      ['1 × folded into LayerNormalization'],
    ],
    [
      'a residual that sees the normalization: one Mul for all products',
      `(float[b, 6, 16] x) => (float[b, 6, 16] y) <float[16] g = outlier, float[16,16] v = inlier, float[16,16] w = inlier>
       { n = LayerNormalization (x, g)  h = MatMul (n, w)  i = MatMul (n, v)  j = Add (h, i)  e = Exp (n)  c = Clip (e)  k = Sigmoid (c)  y = Add (j, k) }`,
      ['1 × by a Mul of its own'],
    ],
    [
      'an activation behind which nothing folds',
      `(float[b, 6, 16] x) => (float[b, 6, 16] y) <float[16] g = outlier, float[16,16] w = inlier> { h = Mul (x, g)  t = Sigmoid (h)  i = Mul (h, t)  y = MatMul (i, w) }`,
      ['1 × by a Mul of its own'],
    ],
    [
      'a graph input',
      `(float[b, 6, 16] x) => (float[b, 6, 16] y) <float[16] g = outlier, float[16,16] v = inlier, float[16,16] w = normal>
       { n = Mul (x, g)  m = Identity (n)  h = MatMul (m, v)  y = MatMul (x, w) }`,
      ['1 × folded into Mul', '1 × left: too little to gain for a Mul of its own'],
    ],
  ])('handles %s', async (_what, graph, notes) => {
    const make = modelOf(graph);
    const dims = graph.startsWith('(float[6') ? [6, 16] : [2, 6, 16];
    const { report, ops, drift, before, after } = await smoothed(make, dims);
    expect(report.notes).toEqual(expect.arrayContaining(notes));
    expect(drift).toBeLessThan(1e-5);
    if (!graph.includes('normal>')) expect(before / after).toBeGreaterThan(4);
    const extra = notes.includes('1 × by a Mul of its own') ? 1 : 0;
    expect(ops.filter((op) => op === 'Mul')).toHaveLength(opsOf(make()).filter((op) => op === 'Mul').length + extra);
  });
});

/** Observations made by hand: channel 1 is 256 times larger, in every tensor that a product reads. */
function outliers(model: Model, change: (values: Float32Array, width: number) => void = () => undefined): Observed {
  const ids = valueIds(model);
  const tensors: Record<string, Observed['tensors'][string]> = {};
  const rows: Record<string, Observed['rows'][string]> = {};
  for (const { source, inputs: width } of productsOf(model)) {
    const random = seededRandom(width);
    const values = Float32Array.from(
      { length: 64 * width },
      (_, index) => random.normal() * (index % width === 1 ? 256 : 1),
    );
    change(values, width);
    const channel = (index: number) =>
      values.filter((value, place) => place % width === index && Number.isFinite(value));
    const channels = Array.from({ length: width }, (_, index) => channel(index));
    const id = ids.get(source) as string;
    rows[id] = { width, values };
    tensors[id] = {
      runs: 1,
      elements: values.length,
      min: Math.min(...values),
      max: Math.max(...values),
      minSum: '0',
      maxSum: '0',
      excluded: { nan: 0, infinite: 0, sentinel: 0 },
      channels: {
        axis: -1,
        min: channels.map((one) => Math.min(...one)),
        max: channels.map((one) => Math.max(...one)),
      },
    };
  }
  return { tensors, rows };
}

const layer = modelOf(
  `(float[b, 8] x) => (float[b, 8] y) <float[8] g = outlier, float[8,8] w = inlier> { n = LayerNormalization (x, g)  y = MatMul (n, w) }`,
);

describe('smoothQuant leaves', () => {
  const weights = '<float[8] g = outlier, float[8,8] w = inlier, float[8,8] v = normal, int64[1] first = {0}>';
  it.each([
    [
      'a tied weight',
      `(float[b, 8] x) => (y, e) ${weights} { n = LayerNormalization (x, g)  y = MatMul (n, w)  e = Gather (w, first) }`,
    ],
    [
      'a group with a weight that another layer has too',
      `(float[b, 8] x) => (y, e) ${weights} { n = LayerNormalization (x, g)  y = MatMul (n, w)  e = MatMul (x, w) }`,
    ],
    [
      'a computed weight',
      `(float[b, 8] x) => (y) ${weights} { n = LayerNormalization (x, g)  h = Neg (w)  y = MatMul (n, h) }`,
    ],
    [
      'a transposed activation',
      `(float[8, 8] x) => (y) ${weights} { n = LayerNormalization (x, g)  y = Gemm <transA = 1> (n, w) }`,
    ],
  ])('%s', (_what, graph) => {
    const make = modelOf(graph);
    const model = make();
    expect(smoothQuant(model, outliers(model)).applied).toBe(0);
    expect(printModel(model, { weights: 1000 })).toBe(printModel(make(), { weights: 1000 }));
  });

  it('what was not observed, or as something else', () => {
    const model = layer();
    const observed = outliers(model);
    const id = Object.keys(observed.rows)[0] as string;
    const wrong = { width: 4, values: new Float32Array(64) };
    for (const other of [
      { tensors: {}, rows: {} },
      { ...observed, rows: {} },
      { ...observed, tensors: {} },
      { ...observed, rows: { [id]: wrong } },
    ])
      expect(smoothQuant(model, other).notes).toEqual(['1 × left: its channels were not observed']);
  });

  it('weights with NaN', () => {
    const make = modelOf(
      '(float[b, 2] x) => (y) <float[2] g = {1, 2}, float[2,2] w = {1, NaN, 3, 4}> { n = LayerNormalization (x, g)  y = MatMul (n, w) }',
    );
    const model = make();
    expect(smoothQuant(model, outliers(model)).notes).toEqual(['1 × left: its weight holds NaN or infinity']);
  });

  it('models without products, and of old operator sets', () => {
    expect(smoothQuant(modelOf('(float[b, 8] x) => (y) { y = Neg (x) }')(), { tensors: {}, rows: {} }).considered).toBe(
      0,
    );
    expect(
      smoothQuantRequests(modelOf('(float[b, 2] x) => (y) <float[2,2] w = {1,2,3,4}> { y = MatMul (x, w) }', 6)()),
    ).toEqual([]);
  });
});

describe('smoothQuant is sound where', () => {
  const gainsOf = (model: Model): number[] => {
    const [node] = model.graph.nodes();
    const origin = node?.inputs[1]?.origin;
    if (origin?.kind !== 'initializer') throw new Error('no gain');
    return [...new Float32Array(new Uint8Array(origin.tensor.bytes()).buffer)];
  };

  it('channels are dead, and rows hold NaN', () => {
    const model = layer();
    const before = gainsOf(layer());
    const observed = outliers(model, (values, width) => {
      for (let index = 3; index < values.length; index += width) values[index] = 0;
      values[0] = Number.NaN;
    });
    expect(smoothQuant(model, observed).applied).toBe(1);
    const after = gainsOf(model);
    expect(after.every(Number.isFinite)).toBe(true);
    expect(after[3]).toBe(before[3]);
    expect(Math.abs((after[1] as number) / (before[1] as number))).toBeLessThan(0.1);
  });

  it('rows come in another order: the same bytes', () => {
    const text = (observed: (model: Model) => Observed): string => {
      const model = attention();
      smoothQuant(model, observed(model));
      return printModel(model, { weights: 1000 });
    };
    const reversed = (model: Model): Observed => {
      const { tensors, rows } = outliers(model);
      const turn = ({ width, values }: { width: number; values: Float32Array }) => ({
        width,
        values: Float32Array.from(
          values,
          (_, index) => values[values.length - width - (index - (index % width)) + (index % width)] as number,
        ),
      });
      return { tensors, rows: Object.fromEntries(Object.entries(rows).map(([id, sample]) => [id, turn(sample)])) };
    };
    expect(text(reversed)).toBe(text(outliers));
  });

  it('others share the gain: they keep theirs', () => {
    const make = modelOf(
      '(float[b, 8] x) => (y, z) <float[8] g = outlier, float[8,8] w = inlier> { n = LayerNormalization (x, g)  y = MatMul (n, w)  z = LayerNormalization (x, g) }',
    );
    const model = make();
    expect(smoothQuant(model, outliers(model)).applied).toBe(1);
    expect([...model.graph.nodes()].find(({ outputs }) => outputs[0]?.name === 'z')?.inputs[1]?.name).toBe('g');
  });

  it('Gemm reads its source as its bias too', () => {
    const make = modelOf(
      '(float[8, 8] x) => (y) <float[8] g = outlier, float[8,8] w = inlier> { n = LayerNormalization (x, g)  y = Gemm (n, w, n) }',
    );
    const model = make();
    expect(smoothQuant(model, outliers(model)).notes).toContain('1 × by a Mul of its own');
    expect([...model.graph.nodes()].map(({ op }) => op)).toEqual(['LayerNormalization', 'Mul', 'Gemm']);
  });

  it('products stand in branches: the Mul stands where both see it', () => {
    const make = modelOf(
      `(float[b, 8] x, bool c) => (y) <float[8] g = outlier, float[8,8] w = inlier, float[8,8] v = inlier>
       { n = Mul (x, g)  s = Sigmoid (n)  i = Mul (s, n)
         y = If (c) <then_branch = t () => (a) { a = MatMul (i, w) }, else_branch = e () => (o) { o = MatMul (i, v) }> }`,
    );
    const model = make();
    expect(smoothQuant(model, outliers(model)).applied).toBe(1);
    expect(verify(model)).toEqual([]);
    expect([...model.graph.nodes()].map(({ op }) => op)).toEqual(['Mul', 'Sigmoid', 'Mul', 'Mul', 'If']);
  });
});
