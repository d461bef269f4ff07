import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tinyModel } from '../../../../tools/testing/tiny-models.ts';
import { onnxruntime } from '../../../runtime-onnxruntime/src/index.ts';
import type { SessionOptions, TensorData } from '../backend/index.ts';
import { type Variant, variantTree } from '../evaluate/index.ts';
import { floatAttribute, type Model, walkNodes } from '../ir/index.ts';
import { serializeModel } from '../onnx/index.ts';
import { parseModel } from '../text/index.ts';
import { loadModelSync } from './load-model.ts';
import { measureOperators } from './measure-operators.ts';
import { activationBehind, type Configuration, configurationOf } from './measure-operators-configuration.ts';
import {
  dequantization,
  dynamicOperator,
  floatOperator,
  idle,
  quantization,
  staticOperator,
} from './measure-operators-forms.ts';

const floats = (...dims: number[]): TensorData => ({
  elementType: 'float32',
  dims,
  bytes: new Uint8Array(new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(0.5).buffer),
});

const zeros = (count: number): string => `{${Array.from({ length: count }, () => 0)}}`;
const filters = `float[8,8,3,3] w = ${zeros(576)}, float[8] b = ${zeros(8)}`;
/** Two equal convolutions over the width that the input has, another one, and one of next to no work. */
const convolutions = (): Model =>
  parseModel(
    `<ir_version: 8, opset_import: ["": 17]> g (float[1,8,n,n] x) => (y) <${filters}, float[1,8,1,1] small = ${zeros(8)}>
     { [a] h = Conv <pads = [1, 1, 1, 1]> (x, w, b)  [b] i = Conv <pads = [1, 1, 1, 1]> (h, w, b)  r = Relu (i)
       [c] j = Conv <strides = [2, 2]> (r, w)  p = GlobalAveragePool (j)  [d] y = Conv (p, small) }`,
  );

/** A runtime that notes how it was used. */
function noting() {
  const sessions: { readonly inputs: number; readonly options: SessionOptions | undefined }[] = [];
  const runtime: typeof onnxruntime = {
    ...onnxruntime,
    async createSession(model, options) {
      const session = await onnxruntime.createSession(model, options);
      sessions.push({ inputs: session.inputs.length, options });
      return session;
    },
  };
  return { runtime, sessions };
}

describe('measureOperators', () => {
  it('measures equal operators once, in two processes, at the shapes that occur', async () => {
    const { runtime, sessions } = noting();
    const sessionOptions = { threads: 1, config: { 'session.intra_op.allow_spinning': '0' } };
    const options = { runtime, feeds: { x: floats(1, 8, 32, 32) }, budgetMs: 50, sessionOptions };
    const costs = await measureOperators(convolutions(), ['a', 'b', 'c', 'd', 'nowhere'], options);
    expect(costs.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    for (const { dynamicUs, ...cost } of costs) {
      expect(dynamicUs).toBeUndefined();
      const { id: _id, ...times } = cost;
      expect(Object.keys(times).sort()).toEqual(['dequantizeUs', 'floatUs', 'quantizeUs', 'staticUs']);
      for (const us of Object.values(times)) expect(us).toBeGreaterThan(0);
    }
    // The second one has Relu behind it, which the float kernel takes along.
    expect(costs[0]?.quantizeUs).toBe(costs[1]?.quantizeUs);
    expect(sessions).toHaveLength(2);
    expect(sessions[1]?.options).toMatchObject(sessionOptions);
  });

  it('has a dynamic form for matrix products, and takes the weights from the file', async () => {
    const options = { runtime: onnxruntime, feeds: { x: floats(32, 64) }, budgetMs: 50 };
    const costs = await measureOperators(tinyModel(), ['layer.0/MatMul', 'layer.1/MatMul'], options);
    expect(costs).toHaveLength(2);
    expect(costs[0]?.dynamicUs).toBeGreaterThan(0);
    expect({ ...costs[0], id: '' }).toEqual({ ...costs[1], id: '' });
  });

  it('needs no process for nothing', async () => {
    const { runtime, sessions } = noting();
    expect(await measureOperators(convolutions(), [], { runtime, feeds: {} })).toEqual([]);
    expect(sessions).toEqual([]);
  });

  it('stops when it is told to', async () => {
    const signal = AbortSignal.abort();
    const attempt = measureOperators(convolutions(), ['a'], {
      runtime: onnxruntime,
      feeds: { x: floats(1, 8, 16, 16) },
      signal,
    });
    await expect(attempt).rejects.toMatchObject({ code: 'E_INTERRUPTED' });
  });

  it('says when the sample does not fit', async () => {
    const attempt = measureOperators(convolutions(), ['a'], {
      runtime: onnxruntime,
      feeds: { x: floats(1, 3, 16, 16) },
    });
    await expect(attempt).rejects.toMatchObject({ code: 'E_DATA_MISMATCH' });
  });
});

describe('variantTree', () => {
  const convolution: Configuration = {
    op: 'Conv',
    input: [1, 16, 8, 8],
    weight: [16, 16, 1, 1],
    output: [1, 16, 8, 8],
    attributes: [],
    hasBias: true,
    activation: 'HardSwish',
  };
  const product = { ...convolution, input: [4, 16], weight: [16, 16], output: [4, 16], activation: undefined } as const;
  const alpha = [['alpha', floatAttribute(0.5)]] as const;

  it('runs as the kernels that it is to measure', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'optimum-variants-'));
    const variants = [
      floatOperator(convolution),
      staticOperator(convolution, 'int8'),
      staticOperator({ ...product, op: 'MatMul', hasBias: false }, 'int8'),
      staticOperator({ ...product, op: 'Gemm', attributes: alpha }, 'uint8'),
      dynamicOperator({ ...product, op: 'MatMul' }, 'int8') as Variant,
      quantization([4, 16]),
      dequantization([4, 16]),
    ];
    const optimizedModelPath = join(folder, 'variants.onnx');
    const { model } = variantTree(variants);
    const session = await onnxruntime.createSession({ bytes: serializeModel(model) }, { optimizedModelPath });
    await session.close();
    const optimized = loadModelSync(optimizedModelPath);
    const nodes = [...walkNodes(optimized.model)];
    optimized.close();
    rmSync(folder, { recursive: true });
    const operators = nodes.map(({ op }) => op);
    for (const kernel of ['QLinearConv', 'QLinearMatMul', 'QGemm', 'DynamicQuantizeMatMul'])
      expect(operators.filter((op) => op === kernel)).toHaveLength(1);
    // The float convolution takes its activation along, where the CPU has blocked kernels.
    const isFused = nodes.some((node) => node.op === 'Conv' && node.string('activation', '') === 'HardSwish');
    expect(isFused).toBe(operators.includes('ReorderInput'));
    expect(operators.filter((op) => op === 'QuantizeLinear')).toHaveLength(1);
    expect(operators.filter((op) => op === 'DequantizeLinear')).toHaveLength(1);
  });

  it('runs the variant that is asked for', async () => {
    const variants = Array.from(
      { length: 5 },
      (_, index): Variant => ({
        ...idle({ elementType: 'float32', dims: [2] }),
        key: `${index}`,
        build: (builder, value) => builder.add('Add', [value, builder.scale(index)]),
      }),
    );
    const { model, feedsOf } = variantTree(variants);
    const session = await onnxruntime.createSession({ bytes: serializeModel(model) });
    const seen: number[] = [];
    for (const variant of variants) {
      const outputs = Object.values(await session.run(feedsOf(variant)));
      seen.push(new Float32Array(new Uint8Array(outputs[0]?.bytes ?? []).buffer)[0] as number);
    }
    await session.close();
    expect(seen).toEqual([0.5, 1.5, 2.5, 3.5, 4.5]);
  });
});

describe('configurationOf', () => {
  const behind = (body: string) => {
    const model = parseModel(
      `<ir_version: 8, opset_import: ["": 17]> g (float[1,8,n,n] x) => (y) <${filters}> { h = Conv (x, w, b)  ${body} }`,
    );
    return activationBehind(model.graph.firstNode as NonNullable<typeof model.graph.firstNode>);
  };

  it.each([
    ['y = Relu (h)', 'Relu'],
    ['y = Clip (h)', 'Relu'],
    ['y = HardSwish (h)', 'HardSwish'],
    ['s = HardSigmoid (h)  y = Mul (h, s)', 'HardSwish'],
    ['s = HardSigmoid (h)  y = Mul (x, s)', 'HardSigmoid'],
    ['s = HardSigmoid (h)  t = Relu (h)  y = Mul (t, s)', undefined],
    ['y = Erf (h)', undefined],
    ['y = own.Relu (h)', undefined],
  ])('sees what stands behind in %s', (body, expected) => {
    expect(behind(body)).toBe(expected);
  });

  it('leaves what is computed, unknown or small', () => {
    const shapeOf = (size: number) => () => [1, 8, size, size];
    const [a, , , , , d] = [...convolutions().graph.nodes()];
    expect(a && configurationOf(a, shapeOf(16), undefined)?.weight).toEqual([8, 8, 3, 3]);
    expect(a && configurationOf(a, () => undefined, undefined)).toBeUndefined();
    expect(d && configurationOf(d, shapeOf(1), undefined)).toBeUndefined();
  });
});
