import { describe, expect, it } from 'vitest';
import { inferTypes } from '../../analysis/index.ts';
import type { Model } from '../../ir/index.ts';
import { parseModel } from '../../text/index.ts';
import { findScaling } from './find-scaling.ts';
import { productsOf } from './product.ts';

const weights = `float[4] g = {1,2,3,4}, float[4] b = {1,2,3,4}, float[1] one = {2}, float zero = {0}, float six = {6},
  float[4,4] w = {1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16}, float[4,4] v = {1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16},
  float[4,4] u = {1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16}, int64[4] heads = {0, 3, 2, 2}, int64[3] flat = {0, 3, 4},
  int64[1] first = {0}, int64[1] axis = {1}`;

function modelOf(body: string, opset = 17): Model {
  const header = `<ir_version: 8, opset_import: ["": ${opset}, "com.microsoft": 1]>`;
  return parseModel(
    `${header} g (float[n,3,4] x, float[n,3,4] z, float[n,2,3,3] p) => (y) <${weights}> { ${body}  y = MatMul (s, w) }`,
  );
}

/** Where the factors on `s`, which the last product reads, would go. */
function scalingOf(body: string, opset?: number) {
  const model = modelOf(body, opset);
  const last = productsOf(model).find(({ output }) => output.name === 'y');
  const scaling = last && findScaling(last.source, 4, inferTypes(model).typeOf);
  return (
    scaling && {
      into: scaling.into,
      places: scaling.places.map(({ node, ...place }) => `${node.op} ${'input' in place ? place.input : place.kind}`),
    }
  );
}

describe('findScaling', () => {
  it.each([
    [
      'LayerNormalization',
      's = LayerNormalization <axis = -1> (x, g, b)',
      ['LayerNormalization 1', 'LayerNormalization 2'],
    ],
    ['no bias', 's = LayerNormalization <axis = 2> (x, g)', ['LayerNormalization 1']],
    ['RMSNormalization', 's = RMSNormalization (x, g)', ['RMSNormalization 1']],
    ['SimplifiedLayerNormalization', 's = SimplifiedLayerNormalization (x, g)', ['SimplifiedLayerNormalization 1']],
    [
      'a fused skip',
      's = com.microsoft.SkipLayerNormalization (x, z, g, b)',
      ['SkipLayerNormalization 2', 'SkipLayerNormalization 3'],
    ],
    ['gain and bias of their own', 'i = Mul (x, g)  s = Add (i, b)', ['Mul 1', 'Add 1']],
    ['constants in front', 'i = Mul (g, x)  s = Add (b, i)', ['Mul 0', 'Add 0']],
    ['Sub', 'i = Mul (g, x)  s = Sub (i, one)', ['Mul 0', 'Sub 1']],
    [
      'one number for all',
      'i = MatMul (x, v)  j = Mul (i, one)  k = Div (j, six)  s = Add (k, six)',
      ['MatMul outputs', 'Add 1'],
    ],
    ['a product and its bias', 'i = MatMul (x, v)  s = Add (b, i)', ['MatMul outputs', 'Add 0']],
    ['Relu', 'i = MatMul (x, v)  j = Add (i, b)  s = Relu (j)', ['MatMul outputs', 'Add 1']],
    ['LeakyRelu', 'i = MatMul (x, v)  s = LeakyRelu (i)', ['MatMul outputs']],
    ['PRelu', 'i = MatMul (x, v)  s = PRelu (i, g)', ['MatMul outputs']],
    ['Relu as Clip', 'i = MatMul (x, v)  s = Clip (i, zero)', ['MatMul outputs']],
    [
      'a gated product',
      'a = MatMul (x, u)  i = Sigmoid (a)  j = Mul (a, i)  k = MatMul (z, v)  s = Mul (j, k)',
      ['MatMul outputs'],
    ],
    ['the shape read beside', 'i = MatMul (x, v)  t = Shape (i)  s = Relu (i)', ['MatMul outputs']],
    [
      'values through the heads',
      'm = MatMul (x, v)  i = Add (m, b)  j = Reshape (i, heads)  t = Transpose <perm = [0,2,1,3]> (j)  c = MatMul (p, t)  o = Transpose <perm = [0,2,1,3]> (c)  s = Reshape (o, flat)',
      ['MatMul outputs', 'Add 1'],
    ],
    [
      'values of one head',
      'm = MatMul (x, v)  q = Transpose <perm = [0,2,1]> (z)  a = MatMul (z, q)  s = MatMul (a, m)',
      ['MatMul outputs'],
    ],
    [
      'a choice of rows',
      'i = LayerNormalization (x, g, b)  s = Gather <axis = 1> (i, first)',
      ['LayerNormalization 1', 'LayerNormalization 2'],
    ],
    [
      'a mean of rows',
      'i = LayerNormalization (x, g, b)  s = ReduceMean <axes = [1], keepdims = 0> (i)',
      ['LayerNormalization 1', 'LayerNormalization 2'],
    ],
    [
      'Squeeze',
      'i = LayerNormalization (x, g, b)  t = Gather <axis = 1> (i, first)  s = Squeeze (t, axis)',
      ['LayerNormalization 1', 'LayerNormalization 2'],
    ],
  ])('goes through %s', (_what, body, places) => {
    expect(scalingOf(body)?.places).toEqual(places);
  });

  it('takes C of Gemm along', () => {
    const body = 'i = Squeeze (x, axis)  j = Gemm <transB = 1, beta = 0.5> (i, v, b)  s = Relu (j)';
    expect(scalingOf(body)?.places).toEqual(['Gemm outputs', 'Gemm 2']);
  });

  it('knows Clip with attributes', () => {
    const clip = (bounds: string) => scalingOf(`i = MatMul (x, v)  s = Clip <${bounds}> (i)`, 9)?.into;
    expect(clip('min = 0.0')).toBe('MatMul');
    expect(clip('min = 0.0, max = 3.4028235e38')).toBe('MatMul');
    expect(clip('min = 0.0, max = 6.0')).toBeUndefined();
    expect(clip('max = 3.4028235e38')).toBeUndefined();
  });

  it.each([
    ['an input', 's = Identity (x)'],
    ['Gelu', 'i = MatMul (x, v)  e = Erf (i)  s = Mul (i, e)'],
    ['Tanh', 'i = MatMul (x, v)  s = Tanh (i)'],
    ['Relu6', 'i = MatMul (x, v)  s = Clip (i, zero, six)'],
    ['Clip that starts elsewhere', 'i = MatMul (x, v)  s = Clip (i, six)'],
    ['a residual', 'i = MatMul (x, v)  s = Add (i, z)'],
    ['a product that others see', 'i = MatMul (x, v)  j = Neg (i)  s = Relu (i)'],
    ['a square', 'i = MatMul (x, v)  s = Mul (i, i)'],
    ['a weight of two products', 'i = MatMul (x, v)  j = MatMul (z, v)  s = Relu (i)'],
    ['a tied weight', 'i = MatMul (x, v)  e = Gather (v, first)  s = Relu (i)'],
    ['normalization over more', 's = LayerNormalization <axis = 1> (x, w, w)'],
    ['a computed gain', 'h = Neg (g)  s = LayerNormalization (x, h, b)'],
    ['a constant along rows', 'c = Constant <value = float[3,1] {1,2,3}> ()  i = MatMul (x, v)  s = Add (i, c)'],
    ['a constant over x', 'i = MatMul (x, v)  s = Div (six, i)'],
    ['channels mixed by Transpose', 'i = MatMul (x, v)  t = Transpose <perm = [0,2,1]> (i)  s = Reshape (t, flat)'],
    [
      'channels split among rows',
      'c = Constant <value = int64[3] {0,6,2}> ()  i = MatMul (x, v)  r = Reshape (i, c)  t = Transpose <perm = [0,2,1]> (r)  s = Reshape (t, flat)',
    ],
    ['probabilities', 'q = MatMul (x, v)  s = MatMul (q, z)'],
    ['Softmax', 'i = MatMul (x, v)  s = Softmax (i)'],
    [
      'rows chosen among channels',
      'i = LayerNormalization (x, g, b)  c = Constant <value = int64[4] {3,2,1,0}> ()  s = Gather <axis = 2> (i, c)',
    ],
    ['operators of other domains', 's = com.microsoft.LayerNormalization (x, g, b)'],
  ])('stops at %s', (_what, body) => {
    expect(scalingOf(body)).toBeUndefined();
  });

  it('stops at heads that serve several queries', () => {
    const body = `m = MatMul (x, v)  c = Constant <value = int64[4] {0,3,1,4}> ()  j = Reshape (m, c)
      t = Transpose <perm = [0,2,1,3]> (j)  o = MatMul (p, t)  q = Transpose <perm = [0,2,1,3]> (o)  f = Constant <value = int64[3] {0,3,8}> ()  s = Reshape (q, f)`;
    const model = modelOf(body.replace('s = Reshape', 'r = Reshape').concat('  s = Identity (z)'));
    const reshaped = [...model.graph.nodes()].find(({ outputs }) => outputs[0]?.name === 'r')?.outputs[0];
    expect(reshaped && findScaling(reshaped, 8, inferTypes(model).typeOf)).toBeUndefined();
  });

  it('ends on chains that never end', () => {
    const chain = Array.from({ length: 100 }, (_, place) => `i${place + 1} = Relu (i${place})`).join('  ');
    expect(scalingOf(`i0 = MatMul (x, v)  ${chain}  s = Relu (i100)`)).toBeUndefined();
  });
});
