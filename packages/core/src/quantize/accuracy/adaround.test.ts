import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../foundation/index.ts';
import type { Model } from '../../ir/index.ts';
import { nodeIds, type Plan, valueIds, type WeightScheme } from '../../plan/index.ts';
import { isPairSafe } from '../saturation.ts';
import type { RoundedWeight } from '../weight-override.ts';
import { type AdaroundOptions, adaround, adaroundRequests } from './adaround.ts';
import type { Observed } from './observed.ts';
import { productsOf } from './product.ts';
import { modelOf } from './test-layers.ts';

/** Rows of few directions, as activations are: what rounding can make use of. */
function correlatedRows(model: Model, count = 256): Observed {
  const ids = valueIds(model);
  const rows = productsOf(model).map(({ source, inputs: width }) => {
    const random = seededRandom(width + 1);
    const directions = Array.from({ length: 6 * width }, () => random.normal());
    const values = new Float32Array(count * width);
    for (let row = 0; row < count; row++) {
      const strengths = Array.from({ length: 6 }, () => random.normal());
      for (let column = 0; column < width; column++)
        values[row * width + column] = strengths.reduce(
          (sum, strength, place) => sum + strength * (directions[place * width + column] as number),
          0.1 * random.normal(),
        );
    }
    return [ids.get(source) as string, { width, values }];
  });
  return { tensors: {}, rows: Object.fromEntries(rows) };
}

const layer = modelOf('(float[b, 24] x) => (y) <float[24,10] w = normal> { y = MatMul (x, w) }');
const across = (weight: string, body: string) => modelOf(`(float[b, 24] x) => (y) <${weight}> { ${body} }`);

const planOf = (model: Model, weight: WeightScheme): Plan => {
  const ids = nodeIds(model);
  const entries = productsOf(model).map(({ node }) => ({
    id: ids.get(node) as string,
    op: node.op,
    decision: { action: 'matmul', weight, capability: 'c' } as const,
  }));
  return { version: 1, target: 't', features: [], recipe: 'r', valueInfo: 'keep', entries };
};

function rounded(make: () => Model, options: AdaroundOptions = {}) {
  const model = make();
  const { report, overrides } = adaround(model, correlatedRows(model), options);
  const [override] = overrides.values();
  return { report, override: override as RoundedWeight, keys: [...overrides.keys()], model };
}

describe('adaround', () => {
  it('beats nearest rounding on rows that it did not see', () => {
    const { report, keys, model, override } = rounded(layer);
    expect(report).toMatchObject({
      id: 'adaround',
      applied: 1,
      considered: 1,
      notes: ['1 × rounded the weight of MatMul'],
    });
    expect(report.errorAfter).toBeLessThan(report.errorBefore * 0.6);
    expect(keys).toEqual([productsOf(model)[0]?.weight.tensor]);
    expect(override.scalesAlong).toBe('columns');
  });

  it('rounds each weight up or down, never further', () => {
    const { override, model } = rounded(layer);
    const weights = new Float32Array(new Uint8Array(productsOf(model)[0]?.weight.tensor.bytes() ?? []).buffer);
    override.values.forEach((value, index) => {
      expect(Math.abs(value - (weights[index] as number) / (override.scales[index % 10] as number))).toBeLessThan(
        1.0001,
      );
    });
    expect(Math.max(...override.values)).toBeLessThanOrEqual(127);
  });

  it('gives transposed weights as they are stored', () => {
    const numbers = Array.from({ length: 240 }, (_, index) => Math.fround(Math.sin(index * 7.3)));
    const turned = Array.from(
      { length: 240 },
      (_, index) => numbers[(index % 24) * 10 + Math.floor(index / 24)] as number,
    );
    const plain = rounded(across(`float[24,10] w = {${numbers}}`, 'y = MatMul (x, w)'));
    const gemm = rounded(across(`float[10,24] w = {${turned}}`, 'y = Gemm <transB = 1> (x, w)'));
    const behind = rounded(
      across(`float[10,24] w = {${turned}}`, 't = Transpose <perm = [1, 0]> (w)  y = MatMul (x, t)'),
    );
    expect(gemm.override.scalesAlong).toBe('rows');
    expect(behind.override).toEqual(gemm.override);
    expect(gemm.override.scales).toEqual(plain.override.scales);
    expect([...gemm.override.values]).toEqual(
      Array.from({ length: 240 }, (_, index) => plain.override.values[(index % 24) * 10 + Math.floor(index / 24)]),
    );
  });

  it('keeps pairs from saturating', () => {
    const { override, report } = rounded(layer, {
      plan: planOf(layer(), { elementType: 'int8', granularity: 'channel', range: 'pair-aware' }),
    });
    expect(report.applied).toBe(1);
    for (let column = 0; column < 10; column++)
      expect(isPairSafe(override.values.filter((_, index) => index % 10 === column))).toBe(true);
  });

  it('keeps to seven bits', () => {
    const { override } = rounded(layer, {
      plan: planOf(layer(), { elementType: 'int8', granularity: 'channel', range: 'reduced' }),
    });
    expect(Math.max(...override.values.map(Math.abs))).toBe(64);
  });

  it('gives the same for rows in another order', () => {
    const model = layer();
    const observed = correlatedRows(model);
    const [id, sample] = Object.entries(observed.rows)[0] as [string, Observed['rows'][string]];
    const order = Array.from({ length: 256 }, (_, row) => (row * 37) % 256);
    const shuffled = Float32Array.from(
      sample.values,
      (_, index) => sample.values[(order[Math.floor(index / 24)] as number) * 24 + (index % 24)] as number,
    );
    const other = adaround(model, { tensors: {}, rows: { [id]: { width: 24, values: shuffled } } });
    expect(other).toEqual(adaround(model, observed));
  });

  it.each([
    ['a tied weight', 'y = MatMul (x, w)  e = Gather (w, i)', 'a weight that others read too'],
    ['a weight of two layers', 'y = MatMul (x, w)  z = MatMul (x, w)', 'a weight that others read too'],
    ['alpha', 'y = Gemm <alpha = 2.0> (x, w)', 'an alpha that is part of its scales'],
  ])('leaves %s', (_what, body, why) => {
    const { report, keys } = rounded(across('float[24,10] w = normal, int64[1] i = {0}', body));
    expect(keys).toEqual([]);
    expect(report.notes).toEqual([expect.stringContaining(`× left: ${why}`)]);
  });

  it('leaves what is too large, what has too few rows, what would not gain and what is no number', () => {
    const notesOf = (make: () => Model, options: AdaroundOptions = {}, observed = correlatedRows(make())) =>
      adaround(make(), observed, options).report.notes;
    expect(notesOf(layer, { maxOperations: 24 * 24 * 10 * 39 })).toEqual(['1 × left: too large']);
    expect(notesOf(layer, { maxOperations: 24 * 24 * 10 * 40 })).toEqual(['1 × rounded the weight of MatMul']);
    expect(notesOf(layer, {}, correlatedRows(layer(), 15))).toEqual([
      '1 × left: too few rows of its input were observed',
    ]);
    expect(notesOf(layer, {}, { tensors: {}, rows: {} })).toEqual([
      '1 × left: too few rows of its input were observed',
    ]);
    const exact = across(
      `float[24,1] w = {127, ${Array.from({ length: 23 }, (_, index) => index)}}`,
      'y = MatMul (x, w)',
    );
    expect(notesOf(exact)).toEqual(['1 × left: no gain on rows that were held out']);
    const broken = across(`float[24,1] w = {NaN, ${Array.from({ length: 23 }, () => 1)}}`, 'y = MatMul (x, w)');
    expect(notesOf(broken)).toEqual(['1 × left: its weight holds NaN or infinity']);
    const plan = planOf(layer(), { elementType: 'int8', granularity: 'tensor', range: 'full' });
    expect(notesOf(layer, { plan })).toEqual(['1 × left: one scale for the whole weight']);
  });

  it('asks once for rows of every tensor that products read', () => {
    const make = across('float[24,10] w = normal, float[24,10] v = normal', 'y = MatMul (x, w)  z = MatMul (x, v)');
    expect(adaroundRequests(make())).toEqual([{ tensor: 'x', detail: 'range', rows: 256 }]);
  });
});
