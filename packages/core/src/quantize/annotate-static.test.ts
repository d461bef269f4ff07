import { describe, expect, it } from 'vitest';
import {
  everyClaim,
  integerRecipe,
  planOf,
  type StaticOptions,
  staticRecipe,
} from '../../../../tools/testing/quantize-statically.ts';
import type { Capability, Recipe } from '../backend/index.ts';
import type { Plan } from '../plan/index.ts';
import { parseModel } from '../text/index.ts';

const ones = (name: string, ...dims: readonly number[]): string =>
  `float[${dims}] ${name} = {${Array(dims.reduce((a, b) => a * b, 1)).fill(1)}}`;
const plan = (graph: string, options: StaticOptions = {}, opset = 17): Plan =>
  planOf(parseModel(`<ir_version: 8, opset_import: ["": ${opset}]> g ${graph}`), options);

/** By operator: `static`, or the reason why not. */
const decisions = ({ entries }: Plan): string[] =>
  entries.map(({ op, decision }) => `${op} ${decision.action === 'float' ? decision.reason.code : decision.action}`);
const tensors = ({ entries }: Plan): Record<string, string> =>
  Object.fromEntries(entries.map(({ id, reads = [], writes = [] }) => [id, `${reads} → ${writes}`]));
const sources = ({ activations = [] }: Plan): Record<string, string> =>
  Object.fromEntries(
    activations.map(({ id, parameters }) => [
      id,
      parameters.kind === 'shared' ? `as ${parameters.with}` : parameters.kind,
    ]),
  );

describe('static decisions', () => {
  it('say which activations are integers, and where their parameters come from', () => {
    const made = plan(
      `(float[1,2,4,4] x) => (float[1,2,2,2] y) <${ones('w', 2, 2, 1, 1)}>
       { [c] c = Conv (x, w)  [r] r = Relu (c)  [m] m = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (r)
         [t] t = Transpose <perm = [0, 1, 3, 2]> (m)  [d] y = Conv (t, w) }`,
    );
    expect(made.form).toBe('qdq');
    expect(tensors(made)).toEqual({ c: 'x → r', m: 'r → m', t: 'm → t', d: 't → y' });
    expect(sources(made)).toEqual({ x: 'own', r: 'own', m: 'as r', t: 'as r', y: 'own' });
  });

  it('leave results in float where a float operator reads them, and movers that are not between integers', () => {
    const made = plan(
      `(float[2,4] x) => (float[4,2] y) <${ones('w', 4, 4)}, int64[2] s = {2, 4}>
       { [r] r = Reshape (x, s)  [a] a = MatMul (r, w)  [b] b = MatMul (a, w)  [t] t = Transpose (b)  y = Tanh (t) }`,
    );
    expect(tensors(made)).toEqual({ a: 'r → a', b: 'a → ' });
  });

  it('make everything integer for devices that know nothing else', () => {
    const made = plan(
      `(float[2,4] x) => (float[2,2] y) <${ones('w', 4, 4)}, ${ones('b', 4)}>
       { [m] m = MatMul (x, w)  [a] a = Add (m, b)  [s] s = Softmax (a)  [t] t = Transpose (s)  [p] p = MatMul (x, t)
         y = Tanh (p) }`,
      { recipe: integerRecipe },
    );
    expect(tensors(made)).toEqual({ m: 'x → m', a: 'm → a', s: 'a → s', t: 's → t', p: 'x,t → p' });
    expect(sources(made)).toEqual({ x: 'own', m: 'own', a: 'own', s: 'fixed', t: 'as s', p: 'own' });
    expect(made.entries.find(({ id }) => id === 'p')?.decision).toEqual({
      action: 'static',
      capability: 'MatMul-uint8',
    });
  });

  it('store a probability as each form wants it', () => {
    const source = '(float[2,4] x) => (float[2,4] y) { s = Softmax (x)  y = Tanh (s) }';
    const scaleOf = (form: 'qdq' | 'qoperator') =>
      plan(source, { recipe: integerRecipe, form }).activations?.find(({ id }) => id === 's')?.parameters;
    expect(scaleOf('qdq')).toEqual({ kind: 'fixed', scale: Math.fround(1 / 255), zeroPoint: 0 });
    expect(scaleOf('qoperator')).toEqual({ kind: 'fixed', scale: 1 / 256, zeroPoint: 0 });
  });

  it.each([
    ['a computed bias', 'Conv (x, w, t)', 'not-constant'],
    ['a computed filter', 'Conv (x, x)', 'not-constant'],
    ['alpha that is not positive', 'Gemm <alpha = -1.0> (t, m)', 'attributes'],
    ['transA', 'Gemm <transA = 1> (t, m)', 'attributes'],
    ['a product of activations', 'MatMul (t, t)', 'not-constant'],
  ])('leave %s in float', (_what, node, expected) => {
    const made = plan(
      `(float[1,1,2,2] x, float[1] t) => (float[1,1,2,2] y) <${ones('w', 1, 1, 1, 1)}, ${ones('m', 2, 2)}>
       { z = ${node}  y = Conv (x, w) }`,
    );
    expect(decisions(made)).toEqual([`${node.split(' ')[0]} ${expected}`, 'Conv static']);
  });

  it('leave masks, indices and numbers that are no floats alone', () => {
    const made = plan(
      `(float[2,4] x, int64[2,4] i) => (float[2,4] y, int64[2,4] j)
       <bool[4] c = {1, 0, 1, 0}, float mask = {-3.4e38}, int64 one = {1}, float half = {0.5}>
       { w = Where (c, x, mask)  h = Mul (w, half)  y = Tanh (h)  j = Add (i, one) }`,
      { recipe: integerRecipe },
    );
    expect(decisions(made)).toEqual(['Where attributes', 'Mul static']);
  });

  it('need values that calibration can see: branches of If, not bodies of loops', () => {
    const body = `body (int64 k, bool go, float[2,2] v) => (bool g2, float[2,2] v2) { g2 = Identity (go)  v2 = MatMul (v, m) }`;
    const made = plan(
      `(int64 n, bool c, float[2,2] x) => (float[2,2] y) <${ones('m', 2, 2)}>
       { l = Loop (n, c, x) <body = ${body}>  y = If (c) <then_branch = t () => (float[2,2] a) { a = MatMul (x, m) },
         else_branch = e () => (float[2,2] b) { b = Relu (x) }> }`,
    );
    expect(decisions(made).sort()).toEqual(['MatMul static', 'MatMul subgraph']);
  });

  it('tell depthwise filters apart', () => {
    const claims: Capability[] = [
      { ...(everyClaim.find(({ op }) => op === 'Conv') as Capability), id: 'full', filters: 'full', speed: 3 },
      {
        ...(everyClaim.find(({ op }) => op === 'Conv') as Capability),
        id: 'depthwise',
        filters: 'depthwise',
        speed: 0.6,
      },
    ];
    const made = (recipe: Recipe) =>
      plan(
        `(float[1,2,4,4] x) => (float[1,2,4,4] y) <${ones('w', 2, 1, 1, 1)}, ${ones('v', 2, 2, 1, 1)}>
         { c = Conv <group = 2> (x, w)  y = Conv (c, v) }`,
        { capabilities: claims, recipe },
      );
    expect(decisions(made({ ...staticRecipe, onlyIfFaster: true }))).toEqual(['Conv no-faster', 'Conv static']);
    expect(made(staticRecipe).entries.map(({ decision }) => 'capability' in decision && decision.capability)).toEqual([
      'depthwise',
      'full',
    ]);
  });

  it('need the opset in which an operator takes integers', () => {
    const graph = `(float[1,1,4,4] x) => (float[1,1,2,2] y) <${ones('w', 1, 1, 1, 1)}>
      { c = Conv (x, w)  m = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (c)  y = Conv (m, w) }`;
    expect(decisions(plan(graph, {}, 12))).toEqual(['Conv static', 'MaxPool static', 'Conv static']);
    expect(decisions(plan(graph, {}, 11))).toEqual(['Conv static', 'Conv static']);
    expect(plan(graph, {}, 9).form).toBe('qoperator');
  });
});

describe('mode auto', () => {
  const dynamic = (op: string, speed: number): Capability => ({
    ...(everyClaim[0] as Capability),
    id: `${op}-dynamic`,
    op,
    mode: 'dynamic',
    speed,
  });
  const auto: Recipe = { ...staticRecipe, mode: 'auto', onlyIfFaster: true };
  const graph = `(float[1,2,2,2] x) => (float[1,2,2,2] y) <${ones('w', 2, 2, 1, 1)}, ${ones('m', 2, 2)}>
    { c = Conv (x, w)  t = Tanh (c)  y = MatMul (t, m) }`;
  const made = (...claims: readonly Capability[]) =>
    decisions(plan(graph, { recipe: auto, capabilities: [...everyClaim, ...claims] }));

  it('takes the faster claim, and on a tie the one that needs no data', () => {
    expect(made(dynamic('MatMul', 4), dynamic('Conv', 0.9))).toEqual(['Conv static', 'MatMul matmul']);
    expect(made(dynamic('MatMul', 3))).toEqual(['Conv static', 'MatMul matmul']);
    expect(made(dynamic('MatMul', 2.9))).toEqual(['Conv static', 'MatMul static']);
  });

  it('has no activations where nothing is static', () => {
    const slow = everyClaim.map((claim) => ({ ...claim, speed: 0.5 }));
    const all = plan(graph, { recipe: auto, capabilities: [...slow, dynamic('MatMul', 2)] });
    expect(decisions(all)).toEqual(['Conv no-faster', 'MatMul matmul']);
    expect(all).not.toHaveProperty('activations');
    expect(all).not.toHaveProperty('form');
  });
});
