import { describe, expect, it } from 'vitest';
import { constantOf } from '../../analysis/index.ts';
import { seededRandom } from '../../foundation/index.ts';
import { type Model, type Node, verify } from '../../ir/index.ts';
import { type Plan, valueIds } from '../../plan/index.ts';
import { biasCorrection, biasCorrectionRequests } from './bias-correction.ts';
import type { Observed } from './observed.ts';
import { productsOf } from './product.ts';
import { modelOf } from './test-layers.ts';

/** Rows with a mean of exactly `mean` in every tensor that a product reads: each has its mirror image. */
function rowsOf(model: Model, mean = 2): Observed {
  const ids = valueIds(model);
  const rows = productsOf(model).map(({ source, inputs: width }) => {
    const random = seededRandom(width);
    const offsets = Array.from({ length: 32 * width }, () => random.normal() * 0.1);
    const values = Float32Array.from([...offsets, ...offsets.map((offset) => -offset)], (offset) => mean + offset);
    return [ids.get(source) as string, { width, values }];
  });
  return { tensors: {}, rows: Object.fromEntries(rows) };
}

const floatsOf = (node: Node | undefined, input: number): number[] => {
  const value = node?.inputs[input];
  const bytes = value && constantOf(value)?.tensor.bytes();
  return [...new Float32Array(new Uint8Array(bytes ?? []).buffer)];
};
const nodeOf = (model: Model, op: string): Node | undefined => [...model.graph.nodes()].find((node) => node.op === op);

// By hand: scale 1/127, 0.3 becomes 38/127 = 0.29921260, off by -0.00078740 at a mean input of 2: + 0.00157480.
const scalar = '(float[b, 2] x) => (y) <float[2,1] w = {1, 0.3}, float[1] c = {0.5}, float one = {1}>';
const golden = 0.5 + 0.0015748;

describe('biasCorrection', () => {
  it.each([
    ['Add behind MatMul', 'm = MatMul (x, w)  y = Add (m, c)', 'Add', 1, golden],
    ['Add with the bias first', 'm = MatMul (x, w)  y = Add (c, m)', 'Add', 0, golden],
    ['C of Gemm', 'y = Gemm (x, w, c)', 'Gemm', 2, golden],
    [
      'C of Gemm with beta and alpha',
      'y = Gemm <alpha = 3.0, beta = 0.5> (x, w, c)',
      'Gemm',
      2,
      0.5 + (0.0015748 * 3) / 0.5,
    ],
  ])('shifts the %s', (_what, body, op, input, expected) => {
    const model = modelOf(`${scalar} { ${body} }`)();
    const report = biasCorrection(model, rowsOf(model));
    expect(floatsOf(nodeOf(model, op), input)[0]).toBeCloseTo(expected, 6);
    expect(report).toMatchObject({ id: 'bias-correction', applied: 1, considered: 1 });
    expect(report.errorAfter).toBeLessThan(report.errorBefore / 5);
    expect(verify(model)).toEqual([]);
  });

  it('corrects the integers that an algorithm chose, not the nearest', () => {
    const model = modelOf(`${scalar} { y = Gemm (x, w, c) }`)();
    const tensor = productsOf(model)[0]?.weight.tensor;
    const rounded = {
      values: Int8Array.of(127, 39),
      scales: Float32Array.of(1 / 127),
      scalesAlong: 'columns',
    } as const;
    biasCorrection(model, rowsOf(model), { overrides: new Map(tensor && [[tensor, rounded]]) });
    // 39/127 = 0.30708661 is off by 0.00708661 at a mean input of 2.
    expect(floatsOf(nodeOf(model, 'Gemm'), 2)[0]).toBeCloseTo(0.5 - 0.0141732, 6);
  });

  it('reads transposed weights as they are', () => {
    const shift = (graph: string): number[] => {
      const model = modelOf(graph)();
      expect(biasCorrection(model, rowsOf(model)).applied).toBe(1);
      return floatsOf(nodeOf(model, 'Gemm'), 2);
    };
    const plain = shift(
      '(float[b, 2] x) => (y) <float[2,3] w = {1, 0.3, 0.2, 0.17, 1, 0.4}, float[3] c = {1, 1, 1}> { y = Gemm (x, w, c) }',
    );
    const across = '<float[3,2] w = {1, 0.17, 0.3, 1, 0.2, 0.4}, float[3] c = {1, 1, 1}>';
    expect(shift(`(float[b, 2] x) => (y) ${across} { y = Gemm <transB = 1> (x, w, c) }`)).toEqual(plain);
    expect(shift(`(float[b, 2] x) => (y) ${across} { t = Transpose <perm = [1, 0]> (w)  y = Gemm (x, t, c) }`)).toEqual(
      plain,
    );
  });

  it('gives a layer that shares its bias one of its own', () => {
    const model = modelOf(`${scalar} { y = Gemm (x, w, c)  n = Neg (c) }`)();
    expect(biasCorrection(model, rowsOf(model)).applied).toBe(1);
    expect(floatsOf(nodeOf(model, 'Neg'), 0)).toEqual([0.5]);
  });

  it.each([
    ['no bias', 'y = MatMul (x, w)', 'no constant bias'],
    ['a residual', 'm = MatMul (x, w)  y = Add (m, x)', 'no constant bias'],
    ['a computed bias', 'n = Neg (c)  y = Gemm (x, w, n)', 'no constant bias'],
    ['a bias that beta takes away', 'y = Gemm <beta = 0.0> (x, w, c)', 'no constant bias'],
    ['a product that others see', 'm = MatMul (x, w)  y = Add (m, c)  n = Neg (m)', 'no constant bias'],
  ])('leaves %s', (_what, body, why) => {
    const model = modelOf(`${scalar} { ${body} }`)();
    expect(biasCorrection(model, rowsOf(model)).notes).toEqual([`1 × left: ${why}`]);
  });

  it('leaves what it cannot measure, and what would not gain', () => {
    const notesOf = (graph: string, observed: (model: Model) => Observed): readonly string[] => {
      const model = modelOf(graph)();
      return biasCorrection(model, observed(model)).notes;
    };
    const layer = `${scalar} { y = Gemm (x, w, c) }`;
    expect(notesOf(layer, () => ({ tensors: {}, rows: {} }))).toEqual(['1 × left: its input was not observed']);
    // What one half of the rows has too much, the other has too little.
    expect(notesOf(layer, (model) => rowsOf(model, 0))).toEqual(['1 × left: no gain on rows that were held out']);
    expect(notesOf(layer.replace('{0.5}', '{0.0001}'), rowsOf)).toEqual([
      '1 × left: the shift is out of all proportion to the bias',
    ]);
    expect(notesOf(layer.replace('0.3', 'NaN'), rowsOf)).toEqual(['1 × left: its weight holds NaN or infinity']);
  });

  it('looks only at what the plan makes integer', () => {
    const model = modelOf(`${scalar} { m = MatMul (x, w)  y = Add (m, c) }`)();
    const decision = { action: 'float', reason: { code: 'excluded', text: '' } } as const;
    const plan: Plan = {
      version: 1,
      target: 't',
      features: [],
      recipe: 'r',
      valueInfo: 'keep',
      entries: [{ id: 'MatMul#0', op: 'MatMul', decision }],
    };
    expect(biasCorrection(model, rowsOf(model), { plan }).considered).toBe(0);
  });

  it('asks for rows of products with a bias', () => {
    const model = modelOf(
      `(float[b, 2] x, float[b, 2] z) => (y) <float[2,1] w = {1, 0.3}, float[1] c = {0.5}> { m = MatMul (x, w)  y = Add (m, c)  n = MatMul (z, w) }`,
    )();
    expect(biasCorrectionRequests(model)).toEqual([{ tensor: 'x', detail: 'range', rows: 256 }]);
  });
});
