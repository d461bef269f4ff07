import { describe, expect, it } from 'vitest';
import { type Model, verify } from '../ir/index.ts';
import type { ObservationRequest } from '../observe/index.ts';
import { parseModel, printModel } from '../text/index.ts';
import { tapModel } from './tap-model.ts';

const head = '<ir_version: 8, opset_import: ["": 17]>';
const range = (tensor: string): ObservationRequest => ({ tensor, detail: 'range' });
const histogram = (tensor: string): ObservationRequest => ({ tensor, detail: 'histogram' });

function tapped(text: string, requests: readonly ObservationRequest[]) {
  const model = parseModel(`${head} ${text}`);
  const result = tapModel(model, requests);
  expect(verify(model)).toEqual([]);
  // It can be printed and read again: names are unique.
  expect(verify(parseModel(printModel(model)))).toEqual([]);
  return { model, ...result };
}

const outputsOf = ({ graph }: Model): (string | undefined)[] => graph.outputs.map(({ name }) => name);
const opsOf = ({ graph }: Model): string[] => [...graph.nodes()].map(({ op }) => op);

describe('tapModel', () => {
  const line = 'g (float[n, 4] x) => (float[n, 4] z) { y = Sin(x) z = Cos(y) }';

  it('makes a tensor an output under its own name, without a shape, after those that were there', () => {
    const { model, taps } = tapped(line, [histogram('y')]);
    expect(taps).toEqual([{ tensor: 'y', output: 'y', detail: 'histogram' }]);
    expect(outputsOf(model)).toEqual(['z', 'y']);
    expect(model.graph.outputs[1]?.type).toEqual({ kind: 'tensor', elementType: 'float32', shape: undefined });
    expect(opsOf(model)).toEqual(['Sin', 'Cos']);
  });

  it('adds reductions where only the range is wanted', () => {
    const { model, taps } = tapped(line, [range('y')]);
    const reduced = {
      min: 'optimum.tap.0.min',
      max: 'optimum.tap.0.max',
      sum: 'optimum.tap.0.sum',
      size: 'optimum.tap.0.size',
    };
    expect(taps).toEqual([{ tensor: 'y', output: 'y', detail: 'range', reduced }]);
    expect(opsOf(model)).toEqual(['Sin', 'Cos', 'ReduceMin', 'ReduceMax', 'ReduceSum', 'Size']);
    expect(outputsOf(model)).toEqual(['z', 'y', ...Object.values(reduced)]);
  });

  it('reduces nothing where channels or rows are wanted, or the type is not float32', () => {
    const requests = [
      { ...range('y'), channelAxis: -1 },
      { ...range('x'), rows: 3 },
    ];
    const { taps } = tapped(line, requests);
    expect(taps).toEqual([
      { tensor: 'y', output: 'y', detail: 'range', channelAxis: -1 },
      { tensor: 'x', output: 'x|input', detail: 'range', rows: 3 },
    ]);
    const half = tapped('g (float16[n] x) => (float16[n] z) { y = Neg(x) z = Abs(y) }', [range('y')]);
    expect(half.taps).toEqual([{ tensor: 'y', output: 'y', detail: 'range' }]);
  });

  it('takes outputs and inputs of the model as they are', () => {
    const { model, taps } = tapped(line, [histogram('z'), histogram('x')]);
    expect(taps.map(({ output }) => output)).toEqual(['z', 'x|input']);
    expect(outputsOf(model)).toEqual(['z', 'x|input']);
    expect(model.graph.inputs.map(({ name }) => name)).toEqual(['x']);
  });

  it('divides along the last axis, beside the tensor itself', () => {
    const divisor = [1, 2, 3, 4];
    const { model, taps } = tapped(line, [histogram('y'), { ...histogram('y'), divisor }]);
    expect(taps).toEqual([
      { tensor: 'y', output: 'y', detail: 'histogram' },
      { tensor: 'y|divided', output: 'optimum.tap.1.tensor', detail: 'histogram' },
    ]);
    expect(opsOf(model)).toEqual(['Sin', 'Cos', 'Div']);
  });

  it('gives a tensor without a name its id', () => {
    const model = parseModel(`${head} ${line}`);
    for (const value of [...model.graph.nodes()][0]?.outputs ?? []) if (value) value.name = undefined;
    expect(tapModel(model, [histogram('Sin#0:0')]).taps).toMatchObject([{ output: 'Sin#0:0' }]);
    expect(outputsOf(model)).toEqual(['z', 'Sin#0:0']);
  });

  it('says of what it cannot observe why', () => {
    const text = `g (float[n] x, bool c, int64 trips) => (float[n] z, int64[1] s) {
      s = Shape(x)
      z = Loop(trips, c, x) <body = b (int64 i, bool go, float[n] v) => (bool keep, float[n] w) { keep = Identity(go) w = Sin(v) }>
    }`;
    const { taps, unobservable } = tapped(text, ['nothing', 's', 'w', 'v', 'c'].map(histogram));
    expect(taps).toEqual([]);
    expect(unobservable).toEqual([
      { tensor: 'nothing', reason: 'the model has no such tensor' },
      { tensor: 's', reason: 'it is int64, and only floats are observed' },
      { tensor: 'w', reason: expect.stringMatching(/inside the body of Loop ".*", where it has many values/) },
      { tensor: 'v', reason: 'the model has no such tensor' },
      { tensor: 'c', reason: 'it is bool, and only floats are observed' },
    ]);
  });

  it('says so of tensors inside model-local functions', () => {
    const text = `<ir_version: 9, opset_import: ["": 17, "d": 1]> g (float[n] x) => (float[n] y) { y = d.f(x) }
      <domain: "d", opset_import: ["": 17]> f (a) => (b) { t = Sin(a) b = Cos(t) }`;
    const { unobservable } = tapModel(parseModel(text), [histogram('t')]);
    expect(unobservable).toEqual([{ tensor: 't', reason: expect.stringContaining('model-local function') }]);
  });
});

describe('branches of If', () => {
  const branches = `g (bool c, float[n] x) => (float[n] z) {
    y = If (c) <
      then_branch = a () => (float[n] p) { q = Sin(x) p = Neg(q) },
      else_branch = b () => (float[n] r) { r = Cos(x) }
    >
    z = Abs(y)
  }`;

  it('hand their tensors out, empty on the other side', () => {
    const { model, taps } = tapped(branches, [histogram('q'), histogram('y'), range('r')]);
    expect(taps.map(({ tensor }) => tensor)).toEqual(['q', 'y', 'r']);
    const node = [...model.graph.nodes()].find(({ op }) => op === 'If');
    expect(node?.outputs.map((value) => value?.name)).toEqual(['y', 'optimum.tap.0.tensor', 'optimum.tap.2.tensor']);
    expect(node?.subgraphs.map(({ outputs }) => outputs.length)).toEqual([3, 3]);
    // The tensor is still there under its own name, for those who read it.
    expect(taps[1]).toMatchObject({ tensor: 'y', output: 'y' });
  });

  it('at any depth', () => {
    const nested = `g (bool c, bool d, float[n] x) => (float[n] y) {
      y = If (c) <
        then_branch = a () => (float[n] p) {
          p = If (d) <
            then_branch = e () => (float[n] s) { t = Sin(x) s = Neg(t) },
            else_branch = f () => (float[n] u) { u = Cos(x) }
          >
        },
        else_branch = b () => (float[n] r) { r = Abs(x) }
      >
    }`;
    const { model, taps } = tapped(nested, [histogram('t')]);
    expect(taps).toEqual([{ tensor: 't', output: 'optimum.tap.0.tensor', detail: 'histogram' }]);
    expect(outputsOf(model)).toEqual(['y', 'optimum.tap.0.tensor']);
  });
});
