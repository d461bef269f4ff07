import { describe, expect, it } from 'vitest';
import { type Model, verify } from '../../ir/index.ts';
import { printModel } from '../../text/index.ts';
import { type CrossLayerEqualizationOptions, crossLayerEqualization } from './cross-layer-equalization.ts';
import { type Layer, layerOf, layerStatistics } from './layer-statistics.ts';
import { modelOf, normalInput, quantized, relativeDistance, runModel } from './test-layers.ts';

const layersOf = (model: Model): Layer[] => [...model.graph.nodes()].flatMap((node) => layerOf(node) ?? []);

/** Ranges of the channels between two layers: what the first gives, what the second takes. */
function rangesBetween(model: Model, place = 0): [number[], number[]] {
  const [first, second] = layersOf(model).slice(place) as [Layer, Layer];
  const ones = (count: number): Float64Array => new Float64Array(count).fill(1);
  const statisticsOf = (layer: Layer) =>
    layerStatistics(layer, { inputs: ones(layer.inputs), outputs: ones(layer.outputs) });
  return [[...statisticsOf(first).outputMax], [...statisticsOf(second).inputMax]];
}

function expectBalanced(model: Model, place = 0): void {
  const [given, taken] = rangesBetween(model, place);
  given.forEach((range, channel) => {
    expect(range / (taken[channel] as number)).toBeCloseTo(1, 2);
  });
}

async function driftOf(graph: string, dims: readonly number[], options: CrossLayerEqualizationOptions = {}) {
  const make = modelOf(graph);
  const model = make();
  const report = crossLayerEqualization(model, options);
  expect(verify(model)).toEqual([]);
  const feeds = [{ x: normalInput(dims, 5) }];
  const drift = relativeDistance(await runModel(model, feeds), await runModel(make(), feeds));
  return { make, model, report, drift, feeds };
}

const dense = `(float[b, 8] x) => (float[b, 8] y) <float[8,8] v = outlier, float[8] c = outlier, float[8,8] w = inlier>`;

describe('crossLayerEqualization', () => {
  it('levels MatMul, Add and Relu: int8 gets better, floats stay', async () => {
    const { make, model, report, drift, feeds } = await driftOf(
      `${dense} { m = MatMul (x, v)  a = Add (m, c)  r = Relu (a)  y = MatMul (r, w) }`,
      [16, 8],
    );
    expect(drift).toBeLessThan(1e-6);
    expect(report).toMatchObject({ id: 'cross-layer-equalization', applied: 1, considered: 1 });
    expect(report.errorAfter).toBeLessThan(report.errorBefore / 10);
    expectBalanced(model);
    const exact = await runModel(make(), feeds);
    const before = relativeDistance(await runModel(quantized(make()), feeds), exact);
    expect(relativeDistance(await runModel(quantized(model), feeds), exact)).toBeLessThan(before / 5);
  });

  it.each([
    [
      'Gemm with transB, beta and a weight behind Transpose',
      `(float[b, 8] x) => (y) <float[8,8] v = inlier, float[8] c = outlier, float[8,8] t = outlier> { m = Gemm <transB = 1, beta = 0.5, alpha = 2.0> (x, v, c)  r = LeakyRelu (m)  u = Transpose <perm = [1, 0]> (t)  y = MatMul (r, u) }`,
    ],
    ['nothing between', `${dense} { m = MatMul (x, v)  y = MatMul (m, w) }`],
    [
      'Clip without a top',
      `${dense.replace('<', '<float zero = {0}, ')} { m = MatMul (x, v)  r = Clip (m, zero)  y = MatMul (r, w) }`,
    ],
  ])('keeps what is computed: %s', async (_what, graph) => {
    const { drift, report, model } = await driftOf(graph, [16, 8]);
    expect(report.applied).toBe(1);
    expect(drift).toBeLessThan(1e-5);
    expectBalanced(model);
  });

  it.each([
    [
      'a pair with pooling between',
      'float[6,4,3,3] v = inlier, float[6] c = normal, float[5,6,3,3] w = normal',
      'm = Conv <pads = [1,1,1,1]> (x, v, c)  r = Relu (m)  p = MaxPool <kernel_shape = [2,2]> (r)  y = Conv (p, w)',
      [0],
    ],
    [
      'a depthwise triple',
      'float[8,4,1,1] v = inlier, float[8] c = normal, float[8,1,3,3] d = normal*3, float[8] e = normal, float[5,8,1,1] w = normal*0.1',
      'm = Conv (x, v, c)  r = Relu (m)  n = Conv <group = 8> (r, d, e)  s = Relu (n)  y = Conv (s, w)',
      [0, 1],
    ],
    [
      'groups',
      'float[8,4,1,1] v = inlier, float[4,4,1,1] w = normal',
      'm = Conv (x, v)  y = Conv <group = 2> (m, w)',
      [0],
    ],
  ])('keeps what convolutions compute: %s', async (_what, weights, body, places) => {
    const { drift, report, model } = await driftOf(
      `(float[b, 4, 9, 9] x) => (y) <${weights}> { ${body} }`,
      [2, 4, 9, 9],
      { grid: { granularity: 'tensor', range: 'full' } },
    );
    expect(report.applied).toBeGreaterThan(0);
    expect(drift).toBeLessThan(1e-5);
    if (report.applied === places.length) for (const place of places) expectBalanced(model, place);
  });

  it('balances the layers of a chain against each other', async () => {
    const chain = `(float[b, 8] x) => (y) <float[8,8] u = outlier, float[8,8] v = normal, float[8,8] w = inlier> { m = MatMul (x, u)  r = Relu (m)  n = MatMul (r, v)  s = Relu (n)  y = MatMul (s, w) }`;
    const { drift, report, model } = await driftOf(chain, [16, 8]);
    expect(drift).toBeLessThan(1e-5);
    expect(report.considered).toBe(2);
    if (report.applied === 2) for (const place of [0, 1]) expectBalanced(model, place);
  });

  it.each([
    ['Clip with a top', 'm = MatMul (x, v)  r = Clip (m, zero, six)  y = MatMul (r, w)'],
    ['Gelu', 'm = MatMul (x, v)  e = Erf (m)  r = Mul (m, e)  y = MatMul (r, w)'],
    ['Sigmoid', 'm = MatMul (x, v)  r = Sigmoid (m)  y = MatMul (r, w)'],
    ['a residual', 'm = MatMul (x, v)  r = Add (m, x)  y = MatMul (r, w)'],
    ['fan-out', 'm = MatMul (x, v)  r = Relu (m)  y = MatMul (r, w)  n = Neg (r)'],
    ['an output of the graph between', 'y = MatMul (x, v)  n = MatMul (y, w)'],
    ['a weight of both layers', 'm = MatMul (x, v)  y = MatMul (m, v)'],
    ['a tied weight', 'm = MatMul (x, v)  y = MatMul (m, w)  e = Gather (w, first)'],
    ['a computed bias', 'n = Neg (c)  m = Gemm (x, v, n)  y = MatMul (m, w)'],
    ['activations that meet', 'm = MatMul (x, v)  n = MatMul (x, w)  y = MatMul (m, n)'],
    ['operators of other domains', 'm = MatMul (x, v)  r = own.Relu (m)  y = MatMul (r, w)'],
    ['a convolution behind a product', 'm = MatMul (x, v)  y = Conv (m, f)'],
  ])('leaves %s', (_what, body) => {
    const make = modelOf(
      `(float[b, 8] x) => (y) <float[8,8] v = outlier, float[8,8] w = inlier, float[8] c = normal, float zero = {0}, float six = {6}, int64[1] first = {0}, float[8,8,1] f = normal> { ${body} }`,
    );
    const model = make();
    expect(crossLayerEqualization(model).considered).toBe(0);
    expect(printModel(model, { weights: 1000 })).toBe(printModel(make(), { weights: 1000 }));
  });

  it('leaves what is level already, dead channels, and weights that are no numbers', () => {
    const outcome = (weights: string) => {
      const make = modelOf(`(float[b, 2] x) => (y) <${weights}> { m = MatMul (x, v)  y = MatMul (m, w) }`);
      const model = make();
      const report = crossLayerEqualization(model);
      const isSame = printModel(model, { weights: 1000 }) === printModel(make(), { weights: 1000 });
      return { notes: report.notes.slice(1), isSame };
    };
    const level = { notes: ['1 × left: nothing to gain'], isSame: true };
    expect(outcome('float[2,2] v = {1,2,3,4}, float[2,2] w = {3,2,4,1}')).toEqual(level);
    expect(outcome('float[2,2] v = {0,2,0,4}, float[2,2] w = {4,3,0,0}')).toEqual(level);
    const broken = { notes: ['1 × left: its weight holds NaN or infinity'], isSame: true };
    expect(outcome('float[2,2] v = {NaN,2,3,4}, float[2,2] w = {4,3,2,1}')).toEqual(broken);
  });
});
