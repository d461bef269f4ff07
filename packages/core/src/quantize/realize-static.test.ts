import { describe, expect, it } from 'vitest';
import {
  everyClaim,
  floats,
  integerRecipe,
  planOf,
  type Quantized,
  quantizeStatically,
  randomFeed,
  relativeDistance,
  runBytes,
  type StaticOptions,
  staticRecipe,
} from '../../../../tools/testing/quantize-statically.ts';
import { storedTensor } from '../analysis/index.ts';
import { seededRandom } from '../foundation/index.ts';
import { type Tensor, type Value, walkNodes } from '../ir/index.ts';
import { parseModel } from '../text/index.ts';
import { realize } from './realize.ts';

const random = seededRandom(11);
const numbers = (dims: readonly number[], scale = 1): string => {
  const count = dims.reduce((a, b) => a * b, 1);
  return Array.from({ length: count }, () => ((2 * random.next() - 1) * scale).toFixed(4)).join(', ');
};
/** A weight in the text of a model. */
const weight = (name: string, ...dims: readonly number[]): string => `float[${dims}] ${name} = {${numbers(dims)}}`;

const image = [1, 4, 6, 6];
const text = (signature: string, constants: string, body: string, opset = 17): string =>
  `<ir_version: 8, opset_import: ["": ${opset}]> g ${signature} ${constants && `<${constants}>`} { ${body} }`;
const filters = weight('w', 4, 4, 3, 3);
const bias = weight('b', 4);
const matrix = weight('w', 8, 8);
const convolution = 'Conv <pads = [1, 1, 1, 1]>';
const pixels = '(float[1,4,6,6] x) => (float[1,4,6,6] y)';
const rows = '(float[n,8] x) => (float[n,8] y)';

interface Pattern {
  readonly what: string;
  readonly text: string;
  readonly input: readonly number[];
  readonly recipe?: StaticOptions['recipe'];
  /** Operators of the QDQ file but for QuantizeLinear, DequantizeLinear and constants. */
  readonly written: string;
  /** All operators of the graph that the runtime runs. */
  readonly loaded: string;
  /** Largest relative error that 8 bits may cost. */
  readonly bound?: number;
}

const all = integerRecipe;
const patterns: readonly Pattern[] = [
  {
    what: 'Conv with bias',
    text: text(pixels, `${filters}, ${bias}`, `y = ${convolution} (x, w, b)`),
    input: image,
    written: 'Conv',
    loaded: 'QuantizeLinear QLinearConv DequantizeLinear',
  },
  {
    what: 'Conv, Relu, Conv: the Relu is in the range',
    text: text(pixels, `${filters}, ${bias}`, `c = ${convolution} (x, w, b)  r = Relu (c)  y = ${convolution} (r, w)`),
    input: image,
    written: 'Conv Conv',
    loaded: 'QuantizeLinear QLinearConv QLinearConv DequantizeLinear',
  },
  {
    what: 'Conv, Clip: the bounds are in the range',
    text: text(
      pixels,
      `${filters}, float low = {-0.2}, float high = {0.5}`,
      `c = ${convolution} (x, w)  y = Clip (c, low, high)`,
    ),
    input: image,
    written: 'Conv',
    loaded: 'QuantizeLinear QLinearConv DequantizeLinear',
  },
  {
    what: 'Conv, Clip that zero is not in',
    text: text(
      pixels,
      `${filters}, float low = {0.2}, float high = {0.5}`,
      `c = ${convolution} (x, w)  y = Clip (c, low, high)`,
    ),
    input: image,
    written: 'Conv Clip',
    loaded: 'QuantizeLinear QLinearConv DequantizeLinear Clip',
  },
  {
    what: 'Conv read by a float operator and by Conv',
    text: text(pixels, filters, `c = ${convolution} (x, w)  t = Tanh (c)  d = ${convolution} (c, w)  y = Sub (t, d)`),
    input: image,
    written: 'Conv Tanh Conv Sub',
    loaded: 'QuantizeLinear QLinearConv DequantizeLinear Tanh QLinearConv DequantizeLinear Sub',
  },
  {
    what: 'grouped and depthwise Conv',
    text: text(
      pixels,
      `${weight('v', 4, 2, 1, 3)}, ${weight('w', 4, 1, 3, 3)}`,
      'c = Conv <group = 2, pads = [0, 1, 0, 1]> (x, v)  y = Conv <group = 4, pads = [1, 1, 1, 1]> (c, w)',
    ),
    input: image,
    written: 'Conv Conv',
    loaded: 'QuantizeLinear QLinearConv QLinearConv DequantizeLinear',
  },
  {
    what: 'Conv in one dimension',
    text: text('(float[2,4,9] x) => (float[2,6,9] y)', weight('w', 6, 4, 3), 'y = Conv <pads = [1, 1]> (x, w)'),
    input: [2, 4, 9],
    written: 'Conv',
    loaded: 'QuantizeLinear QLinearConv DequantizeLinear',
  },
  {
    what: 'Conv, movers, Conv: one scale all the way',
    text: text(
      '(float[1,4,6,6] x) => (float[1,4,3,3] y)',
      `${weight('w', 4, 4, 1, 1)}, int64[4] shape = {1, 4, 6, 6}`,
      `c = Conv (x, w)  t = Transpose <perm = [0, 1, 3, 2]> (c)  s = Reshape (t, shape)
       m = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (s)  y = Conv (m, w)`,
    ),
    input: image,
    written: 'Conv Transpose Reshape MaxPool Conv',
    loaded: 'QuantizeLinear QLinearConv Transpose Reshape MaxPool QLinearConv DequantizeLinear',
  },
  {
    what: 'Split and Concat between Conv',
    recipe: all,
    text: text(
      pixels,
      `${weight('w', 4, 4, 1, 1)}, int64[2] sizes = {1, 3}`,
      'c = Conv (x, w)  s, t = Split <axis = 1> (c, sizes)  u = Concat <axis = -3> (t, s)  y = Conv (u, w)',
    ),
    input: image,
    written: 'Conv Split Concat Conv',
    loaded: 'QuantizeLinear QLinearConv Split QLinearConcat QLinearConv DequantizeLinear',
  },
  {
    what: 'movers at the edge of integers stay float',
    text: text(
      pixels,
      weight('w', 4, 4, 1, 1),
      't = Transpose <perm = [0, 1, 3, 2]> (x)  c = Conv (t, w)  y = Transpose <perm = [0, 1, 3, 2]> (c)',
    ),
    input: image,
    written: 'Transpose Conv Transpose',
    // The runtime moves what it can past QuantizeLinear on its own.
    loaded: 'QuantizeLinear Transpose QLinearConv Transpose DequantizeLinear',
  },
  {
    what: 'MatMul that gives floats',
    text: text(rows, matrix, 'm = MatMul (x, w)  y = Tanh (m)'),
    input: [5, 8],
    written: 'MatMulIntegerToFloat Tanh',
    loaded: 'QuantizeLinear MatMulIntegerToFloat Tanh',
  },
  {
    what: 'MatMul and bias in two dimensions: no float Gemm',
    text: text(rows, `${matrix}, ${weight('b', 8)}`, 'm = MatMul (x, w)  y = Add (b, m)'),
    input: [5, 8],
    written: 'MatMulIntegerToFloat',
    loaded: 'QuantizeLinear MatMulIntegerToFloat',
  },
  {
    what: 'MatMul and bias with a static shape of rank 3: no float Gemm',
    text: text(
      '(float[2,5,8] x) => (float[2,5,8] y)',
      `${matrix}, ${weight('b', 8)}`,
      'm = MatMul (x, w)  a = Add (m, b)  y = Tanh (a)',
    ),
    input: [2, 5, 8],
    written: 'MatMulIntegerToFloat Tanh',
    loaded: 'QuantizeLinear MatMulIntegerToFloat Tanh',
  },
  {
    what: 'MatMul and residual: no float Gemm',
    text: text(rows, matrix, 't = Tanh (x)  m = MatMul (t, w)  y = Add (m, t)'),
    input: [5, 8],
    written: 'Tanh MatMulIntegerToFloat Add',
    loaded: 'Tanh QuantizeLinear MatMulIntegerToFloat Add',
  },
  {
    what: 'MatMul, Relu and another operator: no float product',
    text: text(rows, matrix, 'm = MatMul (x, w)  r = Relu (m)  t = Mul (r, r)  y = Tanh (t)'),
    input: [5, 8],
    written: 'MatMulIntegerToFloat Relu Mul Tanh',
    loaded: 'QuantizeLinear MatMulIntegerToFloat Relu Mul Tanh',
  },
  {
    what: 'Gemm and Relu: no float Gemm',
    text: text(rows, `${matrix}, ${weight('b', 8)}`, 'g = Gemm (x, w, b)  r = Relu (g)  y = Mul (r, r)'),
    input: [5, 8],
    written: 'QGemm Relu Mul',
    loaded: 'QuantizeLinear QGemm Relu Mul',
  },
  {
    what: 'MatMul, MatMul: integers between them',
    text: text(rows, matrix, 'm = MatMul (x, w)  y = MatMul (m, w)'),
    input: [5, 8],
    written: 'MatMul MatMulIntegerToFloat',
    loaded: 'QuantizeLinear QLinearMatMul MatMulIntegerToFloat',
  },
  {
    what: 'MatMul read by MatMul and by a float operator',
    text: text(rows, matrix, 'm = MatMul (x, w)  t = Tanh (m)  n = MatMul (m, w)  y = Sub (t, n)'),
    input: [5, 8],
    written: 'MatMulIntegerToFloat Tanh MatMulIntegerToFloat Sub',
    loaded: 'QuantizeLinear MatMulIntegerToFloat Tanh QuantizeLinear MatMulIntegerToFloat Sub',
  },
  {
    what: 'queries, keys and values: quantized once',
    text: text(
      rows,
      `${matrix}, ${weight('v', 8, 8)}, ${weight('u', 8, 8)}`,
      't = Tanh (x)  q = MatMul (t, w)  k = MatMul (t, v)  o = MatMul (t, u)  a = Sub (q, k)  y = Sub (a, o)',
    ),
    input: [5, 8],
    written: 'Tanh MatMulIntegerToFloat MatMulIntegerToFloat MatMulIntegerToFloat Sub Sub',
    loaded: 'Tanh QuantizeLinear MatMulIntegerToFloat MatMulIntegerToFloat MatMulIntegerToFloat Sub Sub',
  },
  {
    what: 'Gemm with bias that gives floats',
    text: text(rows, `${matrix}, ${weight('b', 8)}`, 'y = Gemm (x, w, b)'),
    input: [5, 8],
    written: 'QGemm',
    loaded: 'QuantizeLinear QGemm',
  },
  {
    what: 'Gemm without bias',
    text: text(rows, matrix, 'y = Gemm (x, w)'),
    input: [5, 8],
    written: 'QGemm',
    loaded: 'QuantizeLinear QGemm',
  },
  {
    what: 'Gemm with alpha, beta and transB',
    text: text(rows, `${matrix}, ${weight('b', 8)}`, 'y = Gemm <alpha = 0.25, beta = 3.0, transB = 1> (x, w, b)'),
    input: [5, 8],
    written: 'QGemm',
    loaded: 'QuantizeLinear QGemm',
  },
  {
    what: 'Gemm with beta 0.5, Relu, Gemm',
    text: text(
      rows,
      `${matrix}, ${weight('b', 1, 8)}`,
      'g = Gemm <beta = 0.5> (x, w, b)  r = Relu (g)  y = Gemm <beta = 0.5> (r, w, b)',
    ),
    input: [5, 8],
    written: 'Gemm QGemm',
    loaded: 'QuantizeLinear QGemm QGemm',
  },
  {
    what: 'Gemm with a bias that no integer bias can be',
    text: text(rows, `${matrix}, ${weight('b', 1)}`, 'g = Gemm <beta = 0.5> (x, w, b)  y = Gemm (g, w, x)'),
    input: [5, 8],
    written: 'QGemm Add QGemm Add',
    loaded: 'QuantizeLinear QGemm Add QuantizeLinear QGemm Add',
  },
  {
    what: 'Gemm read by Gemm and by a float operator',
    text: text(
      rows,
      `${matrix}, ${weight('b', 8)}`,
      'g = Gemm (x, w, b)  t = Tanh (g)  h = Gemm (g, w, b)  y = Sub (t, h)',
    ),
    input: [5, 8],
    written: 'QGemm Tanh QGemm Sub',
    loaded: 'QuantizeLinear QGemm Tanh QuantizeLinear QGemm Sub',
  },
  {
    what: 'a product of two activations',
    recipe: all,
    text: text(
      '(float[2,4,8] x) => (float[2,4,4] y)',
      matrix,
      'q = MatMul (x, w)  t = Transpose <perm = [0, 2, 1]> (x)  s = MatMul (q, t)  y = Softmax <axis = -1> (s)',
    ),
    input: [2, 4, 8],
    written: 'MatMul Transpose MatMul Softmax',
    loaded: 'QuantizeLinear QLinearMatMul Transpose QuantizeLinear QLinearMatMul QLinearSoftmax DequantizeLinear',
  },
  ...(
    [
      ['Add', 'y = Add (c, x)', 'QLinearAdd'],
      ['Add of a constant', 'y = Add (k, c)', 'QLinearAdd'],
      ['Mul', 'y = Mul (c, x)', 'QLinearMul'],
      ['Mul by a number', 'y = Mul (c, half)', 'QLinearMul'],
      ['Add and Relu', 'a = Add (c, x)  y = Relu (a)', 'QLinearAdd'],
      ['Sigmoid', 'y = Sigmoid (c)', 'QLinearSigmoid'],
      ['LeakyRelu', 'y = LeakyRelu <alpha = 0.2> (c)', 'QLinearLeakyRelu'],
      ['Softmax', 'y = Softmax <axis = 1> (c)', 'QLinearSoftmax'],
      ['AveragePool', 'y = AveragePool <kernel_shape = [3, 3], pads = [1, 1, 1, 1]> (c)', 'QLinearAveragePool'],
      ['Where', 'y = Where (mask, c, x)', 'QLinearWhere'],
    ] as const
  ).map(([what, body, operator]) => ({
    what,
    recipe: all,
    text: text(
      pixels,
      `${weight('w', 4, 4, 1, 1)}, ${weight('k', 4, 1, 1)}, float half = {0.5}, bool[6] mask = {1, 0, 0, 1, 0, 1}`,
      `c = Conv (x, w)  ${body}`,
    ),
    input: image,
    written: `Conv ${body.match(/= ([A-Z]\w+)/)?.[1]}`,
    loaded: `QuantizeLinear QLinearConv ${operator} DequantizeLinear`,
    bound: 0.03,
  })),
  {
    what: 'GlobalAveragePool',
    recipe: all,
    text: text(
      '(float[1,4,6,6] x) => (float[1,4,1,1] y)',
      weight('w', 4, 4, 1, 1),
      'c = Conv (x, w)  y = GlobalAveragePool (c)',
    ),
    input: image,
    written: 'Conv GlobalAveragePool',
    loaded: 'QuantizeLinear QLinearConv QLinearGlobalAveragePool DequantizeLinear',
    bound: 0.03,
  },
];

const visible = (operators: readonly string[]): string =>
  operators.filter((op) => !['QuantizeLinear', 'DequantizeLinear', 'Constant'].includes(op)).join(' ');

const sorted = (operators: string): string[] => operators.split(' ').sort();

const run = (pattern: Pattern, options: StaticOptions, optimization: 'extended' | 'all' = 'extended') =>
  quantizeStatically(
    pattern.text,
    [0, 1, 2].map((seed) => ({ x: randomFeed(pattern.input, seed) })),
    {
      recipe: pattern.recipe ?? staticRecipe,
      ...options,
      optimization,
    },
  );

const outputsOf = ({ outputs }: Quantized): number[][] => outputs.map((output) => [...floats(output.y as never)]);

describe('static forms', () => {
  it.each(patterns)('$what', async (pattern) => {
    const qdq = await run(pattern, { form: 'qdq' });
    expect(visible(qdq.written)).toBe(pattern.written);
    expect([...qdq.operators].sort()).toEqual(sorted(pattern.loaded));
    expect(qdq.relativeError).toBeLessThan(pattern.bound ?? 0.02);
    expect(qdq.relativeError).toBeGreaterThan(0);
    const qoperator = await run(pattern, { form: 'qoperator' }, 'all');
    expect(qoperator.written).not.toContain('MatMul');
    expect(qoperator.written).not.toContain('Conv');
    expect(qoperator.relativeError).toBeLessThan(pattern.bound ?? 0.02);
    // Probabilities are stored a little differently in the two forms.
    if (!pattern.text.includes('Softmax')) expect(outputsOf(qoperator)).toEqual(outputsOf(qdq));
  });
});

describe('older and newer opsets', () => {
  const body = `c = ${convolution} (x, w, b)  r = Relu (c)  d = ${convolution} (r, w, b)  s = Reshape (d, flat)
    m = MatMul (s, v)  n = MatMul (m, v)  y = Gemm (n, v, e)`;
  const constants = `${filters}, ${bias}, ${weight('v', 6, 6)}, ${weight('e', 6)}, int64[2] flat = {24, 6}`;
  const make = (opset: number) => text('(float[1,4,6,6] x) => (float[24,6] y)', constants, body, opset);

  it.each([8, 9, 10, 11, 12, 13, 19, 21])('opset %i', async (opset) => {
    const quantized = await run({ what: '', text: make(opset), input: image, written: '', loaded: '' }, {}, 'all');
    expect(quantized.plan.form).toBe(opset < 10 ? 'qoperator' : 'qdq');
    expect(quantized.operators.filter((op) => op === 'QLinearConv')).toHaveLength(2);
    expect(quantized.operators.filter((op) => op === 'QGemm')).toHaveLength(1);
    expect(quantized.operators).not.toContain('MatMul');
    expect(quantized.operators).not.toContain('Conv');
    expect(quantized.relativeError).toBeLessThan(0.03);
    expect(quantized.model.opset()).toBe(opset);
  });

  it('takes the runtime\u2019s own QuantizeLinear where the standard one lacks a type', async () => {
    const domains = async (opset: number, elementType: 'uint8' | 'uint16') => {
      const recipe = { ...integerRecipe, activations: { elementType, symmetric: false } };
      const claims = everyClaim.map((claim) => ({ ...claim, activation: elementType }));
      const source = text(rows, matrix, 'y = MatMul (x, w)', opset);
      const { model, relativeError } = await quantizeStatically(source, [{ x: randomFeed([5, 8]) }], {
        recipe,
        capabilities: claims,
        form: 'qdq',
      });
      expect(relativeError).toBeLessThan(elementType === 'uint8' ? 0.02 : 0.008);
      return [...walkNodes(model)].filter(({ op }) => op === 'DequantizeLinear').map(({ domain }) => domain);
    };
    const contrib = 'com.microsoft';
    expect(await domains(12, 'uint8')).toEqual([contrib, contrib, contrib]);
    expect(await domains(13, 'uint8')).toEqual(['', '', '']);
    // Of the input, the weight and the result.
    expect(await domains(20, 'uint16')).toEqual([contrib, '', contrib]);
    expect(await domains(21, 'uint16')).toEqual(['', '', '']);
  });

  it.each([
    ['over all axes from the first on', 11],
    ['over one axis', 13],
  ])('keeps what the axis of Softmax means: %s', async (_what, opset) => {
    const source = text(pixels, '', 's = Softmax <axis = 1> (x)  y = Tanh (s)', opset);
    for (const form of ['qdq', 'qoperator'] as const) {
      const options = { recipe: integerRecipe, form };
      const { relativeError, operators } = await quantizeStatically(source, [{ x: randomFeed(image) }], options);
      expect(operators).toContain('QLinearSoftmax');
      // Probabilities of 144 numbers are two or three steps of 1/255.
      expect(relativeError).toBeLessThan(opset < 13 ? 0.25 : 0.02);
    }
  });

  it('stores signed and symmetric activations, and keeps the Relu that they do not imply', async () => {
    const recipe = { ...staticRecipe, activations: { elementType: 'int8', symmetric: true } } as const;
    const claims = everyClaim.map((claim) => ({ ...claim, activation: 'int8' as const }));
    const source = text(pixels, filters, `c = ${convolution} (x, w)  r = Relu (c)  y = ${convolution} (r, w)`);
    const { written, relativeError, plan } = await quantizeStatically(source, [{ x: randomFeed(image) }], {
      recipe,
      capabilities: claims,
    });
    expect(visible(written)).toBe('Conv Relu Conv');
    expect(plan.activations?.map(({ id }) => id)).toEqual(['x', 'c', 'r', 'y']);
    expect(relativeError).toBeLessThan(0.03);
  });
});

describe('weights', () => {
  it('is stored once for readers that agree on it, with a bias for each', async () => {
    const source = text(
      rows,
      `${matrix}, ${weight('b', 8)}, ${weight('c', 8)}`,
      'g = Gemm (x, w, b)  t = Tanh (g)  h = Gemm (t, w, c)  y = Sub (t, h)',
    );
    const { model, relativeError } = await quantizeStatically(source, [{ x: randomFeed([5, 8]) }]);
    const names = [...model.graph.initializers].map(({ name }) => name);
    expect(names.filter((name) => name === 'w_quantized')).toHaveLength(1);
    expect(names).toContain('b_quantized');
    expect(names).toContain('c_quantized');
    expect(relativeError).toBeLessThan(0.02);
  });

  it('duplicates a shared bias, whose scale depends on the input', async () => {
    const source = text(
      pixels,
      `${filters}, ${weight('v', 4, 4, 1, 1)}, ${bias}`,
      `c = ${convolution} (x, w, b)  y = Conv (c, v, b)`,
    );
    const { model, relativeError, operators } = await quantizeStatically(source, [{ x: randomFeed(image) }]);
    expect([...model.graph.initializers].filter(({ elementType }) => elementType === 'int32')).toHaveLength(4);
    expect(operators.filter((op) => op === 'QLinearConv')).toHaveLength(2);
    expect(relativeError).toBeLessThan(0.02);
  });

  it('leaves a tied table to its other readers', async () => {
    const source = text(
      '(int64[n] ids) => (float[n,16] y)',
      weight('table', 16, 8),
      'e = Gather (table, ids)  t = Tanh (e)  y = Gemm <transB = 1> (t, table)',
    );
    const ids = {
      elementType: 'int64',
      dims: [3],
      bytes: new Uint8Array(BigInt64Array.of(3n, 0n, 15n).buffer),
    } as const;
    const { relativeError, written } = await quantizeStatically(source, [{ ids }]);
    expect(visible(written)).toBe('Gather Tanh QGemm');
    expect(relativeError).toBeLessThan(0.02);
  });

  it('finds filters in Constant nodes and behind Identity', async () => {
    const source = text(
      pixels,
      '',
      `w0 = Constant <value = float[4,4,1,1] {${numbers([4, 4])}}> ()  w = Identity (w0)
       b = Constant <value = float[4] {${numbers([4])}}> ()  y = Conv (x, w, b)`,
    );
    const { operators, relativeError } = await quantizeStatically(source, [{ x: randomFeed(image) }]);
    expect([...operators].sort()).toEqual(sorted('QuantizeLinear Transpose QLinearConv Transpose DequantizeLinear'));
    expect(relativeError).toBeLessThan(0.02);
  });

  it('keeps to a bias that 32 bits hold only on a wider grid', async () => {
    const source = text(
      '(float[n,2] x) => (float[n,2] y)',
      'float[2,2] w = {1e-7, 0.5, -2e-7, 0.25}, float[2] b = {3, -2}',
      'y = Gemm (x, w, b)',
    );
    const { relativeError } = await quantizeStatically(source, [{ x: randomFeed([4, 2]) }]);
    expect(relativeError).toBeLessThan(0.01);
  });

  it.each([
    [1, 'channel'],
    [2, 'tensor'],
  ])('stores filters of ConvTranspose in %i groups by %s', async (group, granularity) => {
    const source = text(
      '(float[1,4,5,5] x) => (float[1,6,7,7] y)',
      `${weight('w', 4, 6 / group, 3, 3)}, ${weight('b', 6)}`,
      `y = ConvTranspose <group = ${group}> (x, w, b)`,
    );
    const { plan, relativeError } = await quantizeStatically(source, [{ x: randomFeed([1, 4, 5, 5]) }]);
    expect(plan.entries[0]?.decision).toMatchObject({ action: 'static', weight: { granularity } });
    expect(relativeError).toBeLessThan(0.02);
  });

  it.each([17, 21])('stores weights in 4 bits where a device claims it, with opset %i', async (opset) => {
    const claims = everyClaim.map((claim) => ({
      ...claim,
      weight: 'int4' as const,
      granularity: ['channel' as const],
    }));
    const source = text(
      rows,
      `${matrix}, ${weight('b', 8)}`,
      'g = Gemm <transB = 1> (x, w, b)  y = MatMul (g, w)',
      opset,
    );
    const options = { recipe: integerRecipe, capabilities: claims, form: 'qoperator' } as const;
    const { model, written, relativeError } = await quantizeStatically(source, [{ x: randomFeed([5, 8]) }], options);
    expect(model.irVersion).toBe(10);
    expect(visible(written)).toBe('Gemm MatMul');
    expect(relativeError).toBeLessThan(0.15);
    const ofWeights = [...walkNodes(model)].filter(({ inputs }) => inputs[0]?.elementType === 'int4');
    expect(ofWeights.map(({ domain }) => domain)).toEqual(Array(2).fill(opset < 21 ? 'com.microsoft' : ''));
  });

  it('takes integers and scales that an algorithm chose', async () => {
    const source = text(
      '(float[n,2] x) => (float[n,2] y)',
      'float[2,2] w = {0.3, -0.7, 1, 0.2}',
      'y = Gemm <transB = 1> (x, w)',
    );
    const model = parseModel(source);
    const plan = planOf(model);
    const [w] = [...model.graph.initializers] as [Value];
    const rounded = {
      values: Int8Array.of(3, -8, 10, 1),
      scales: Float32Array.of(0.1, 0.11),
      scalesAlong: 'rows',
    } as const;
    realize(model, plan, {
      parameters: new Map([['x', { scale: 1 / 127, zeroPoint: 127 }]]),
      overrides: new Map([[storedTensor(w) as Tensor, rounded]]),
    });
    const bytesOf = (name: string) => {
      const value = [...model.graph.initializers].find((one) => one.name === name) as Value;
      return (storedTensor(value) as Tensor).bytes();
    };
    // As [K, N].
    expect([...new Int8Array(bytesOf('w_quantized').buffer)]).toEqual([3, 10, -8, 1]);
    expect([...new Float32Array(bytesOf('w_scale').buffer)]).toEqual([...rounded.scales]);
  });
});

describe('subgraphs', () => {
  const branch = (name: string, body: string) => `${name} = ${name}_graph () => (float[n,8] ${name}_y) { ${body} }`;
  it('quantizes what stands in the branches of If', async () => {
    const source = text(
      '(bool c, float[n,8] x) => (float[n,8] y)',
      matrix,
      `y = If (c) <${branch('then_branch', 'm = MatMul (x, w)  then_branch_y = Tanh (m)')},
                  ${branch('else_branch', 'else_branch_y = Relu (x)')}>`,
    );
    const plan = planOf(parseModel(source));
    expect(plan.activations?.map(({ id }) => id)).toEqual(['x']);
    const model = parseModel(source);
    const feeds = { c: { elementType: 'bool', dims: [], bytes: Uint8Array.of(1) }, x: randomFeed([3, 8]) } as const;
    const expected = await runBytes(model, [feeds], 'disabled');
    realize(model, plan, { parameters: new Map([['x', { scale: 2 / 255, zeroPoint: 128 }]]) });
    const { operators, outputs } = await runBytes(model, [feeds]);
    expect(operators).toContain('MatMulIntegerToFloat');
    expect(relativeDistance(outputs, expected.outputs)).toBeLessThan(0.02);
  });
});
