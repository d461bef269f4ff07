import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from '../../../../tools/testing/zoo.ts';
import { onnxruntime } from '../../../runtime-onnxruntime/src/index.ts';
import { type ConstantRef, constantOf } from '../analysis/index.ts';
import type { TensorData } from '../backend/index.ts';
import { seededRandom } from '../foundation/index.ts';
import { type Model, type Node, tensorOfBytes, type Value, verify } from '../ir/index.ts';
import { loadModelSync } from '../node/load-model.ts';
import { serializeModel } from '../onnx/index.ts';
import { parseModel } from '../text/index.ts';
import { type IntegerCheck, runIntegerCheck, tapIntegerProducts } from './check-integers.ts';
import { convolutionModel, dynamicConvolutionModel, header, productModel, weights } from './test-static-models.ts';

const folder = mkdtempSync(join(tmpdir(), 'optimum-integers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const float = (dims: readonly number[], seed: number, scale = 1): TensorData => {
  const random = seededRandom(seed);
  const count = dims.reduce((a, b) => a * b, 1);
  const values = Float32Array.from({ length: count }, () => random.normal() * scale);
  return { elementType: 'float32', dims, bytes: new Uint8Array(values.buffer) };
};

/** What the runtime makes of a model before it changes layouts. */
async function fused(text: string): Promise<Model> {
  const path = join(folder, 'fused.onnx');
  const session = await onnxruntime.createSession(
    { bytes: serializeModel(parseModel(text)) },
    { optimization: 'extended', optimizedModelPath: path, from: root },
  );
  await session.close();
  return loadModelSync(path).model;
}

const check = (model: Model, x: TensorData): Promise<IntegerCheck> => runTapped(model, tapIntegerProducts(model), x);

async function runTapped(
  model: Model,
  { taps, notTapped }: ReturnType<typeof tapIntegerProducts>,
  x: TensorData,
): Promise<IntegerCheck> {
  const bytes = serializeModel(model);
  const session = await onnxruntime.createSession({ bytes }, { optimization: 'disabled', from: root });
  try {
    return await runIntegerCheck(session, taps, notTapped, { x });
  } finally {
    await session.close();
  }
}

const opsOf = (model: Model): string[] => [...model.graph.nodes()].map(({ op }) => op);

const image = [2, 6, 9, 7] as const;
const safe = { largestWeight: 64 };

describe('exact integers of static models', () => {
  it.each([
    ['3×3 with padding', { input: image, filters: [8, 6, 3, 3], attributes: 'pads = [1, 1, 1, 1]' }],
    ['uneven padding', { input: image, filters: [8, 6, 3, 2], attributes: 'pads = [0, 1, 2, 0]' }],
    ['same padding by name', { input: image, filters: [8, 6, 3, 3], attributes: 'auto_pad = "SAME_UPPER"' }],
    [
      'strides and dilations',
      { input: image, filters: [5, 6, 2, 2], attributes: 'strides = [2, 1], dilations = [1, 2]' },
    ],
    ['groups of an odd number of channels', { input: image, filters: [4, 3, 3, 3], attributes: 'group = 2' }],
    [
      'one filter for each channel',
      { input: image, filters: [6, 1, 3, 3], attributes: 'group = 6, pads = [1, 1, 1, 1]' },
    ],
    ['one dimension', { input: [2, 6, 20], filters: [4, 6, 5], attributes: 'pads = [2, 2]' }],
    ['no bias', { input: image, filters: [8, 6, 1, 1], hasBias: false }],
    ['more taps than float32 sums hold', { input: [1, 70, 6, 6], filters: [3, 70, 3, 3] }],
    ['more taps than split activations hold', { input: [1, 500, 5, 5], filters: [3, 500, 3, 3] }],
  ] as const)('are found in QLinearConv: %s', async (_, subject) => {
    const model = await fused(convolutionModel(subject, safe));
    expect(opsOf(model)).toContain('QLinearConv');
    const result = await check(model, float(subject.input, 5));
    expect(result).toMatchObject({ nodes: 1, notTapped: 0, wrong: 0 });
    expect(result.outputs).toBeGreaterThan(20);
  });

  it.each([
    ['QLinearMatMul', 'MatMul', true],
    ['MatMulIntegerToFloat', 'MatMul', false],
    ['QGemm', 'Gemm', true],
    ['QGemm', 'Gemm', false],
  ] as const)('are found in %s of %s', async (kernel, op, bytes) => {
    for (const weightType of ['int8', 'uint8'] as const) {
      const model = await fused(productModel(op, [200, 24], bytes, { ...safe, weightType }));
      expect(opsOf(model)).toContain(kernel);
      const result = await check(model, float([33, 200], 7));
      expect(result).toMatchObject({ nodes: 1, notTapped: 0, outputs: 33 * 24, wrong: 0 });
    }
  });

  it.each(['int8', 'uint8'] as const)('are found in ConvInteger with %s weights', async (weightType) => {
    const subject = { input: [1, 80, 6, 6], filters: [4, 80, 3, 3], attributes: 'pads = [1, 1, 1, 1]' };
    const model = parseModel(dynamicConvolutionModel(subject, { weightType }));
    const result = await check(model, float(subject.input, 5));
    expect(result).toMatchObject({ nodes: 1, notTapped: 0, outputs: 4 * 36, wrong: 0 });
  });

  it('take no offence at activations that are all zero', async () => {
    const x = { ...float([3, 8], 1), bytes: new Uint8Array(3 * 8 * 4) };
    const model =
      parseModel(`${header} g (float[n, 8] x) => (y) <int8[8, 4] w = ${weights(32)}, float[4] s = {1, 1, 1, 1}>
      { [product] y = com.microsoft.DynamicQuantizeMatMul (x, w, s) }`);
    expect(await check(model, x)).toMatchObject({ nodes: 1, outputs: 12, wrong: 0 });
  });

  it('are found in branches of If, and lead out of branches in branches', async () => {
    const text = `${header} g (float[n, 8] x) => (y, s) <int8[8, 4] w = ${weights(32)}, int8[8, 4] v = ${weights(32, { seed: 4 })}, float z = {0}> {
      xq, xs, xz = DynamicQuantizeLinear (x)
      m = ReduceSum <keepdims = 0> (x)  c = Less (z, m)  no = Not (c)
      [if] y = If (c) <
        then_branch = t () => (int32[n, 4] a) { [first] a = MatMulInteger (xq, w, xz) },
        else_branch = e () => (int32[n, 4] b) { [inner] b = If (no) <
          then_branch = p () => (int32[n, 4] f) { [second] g = MatMulInteger (xq, v, xz)  h = MatMulInteger (xq, w, xz)  f = Add (g, h) },
          else_branch = q () => (int32[n, 4] d) { [third] d = MatMulInteger (xq, v, xz) }> }>
      s = Shape (y) }`;
    const model = parseModel(text);
    const { taps } = tapIntegerProducts(model);
    expect(taps.map(({ node }) => node)).toEqual(['first', 'second', 'h', 'third']);
    expect(verify(model)).toEqual([]);
    const positive = { ...float([3, 8], 1), bytes: new Uint8Array(new Float32Array(24).fill(1).buffer) };
    const negative = { ...positive, bytes: new Uint8Array(new Float32Array(24).fill(-1).buffer) };
    expect(await check(parseModel(text), positive)).toMatchObject({ nodes: 4, notTapped: 0, outputs: 12, wrong: 0 });
    expect(await check(parseModel(text), negative)).toMatchObject({ nodes: 4, notTapped: 0, outputs: 24, wrong: 0 });
  });

  it('say what they cannot check', () => {
    const fed = parseModel(`${header} g (uint8[1, 2, 3, 3] a, int8[2, 2, 3, 3] f) => (i) { i = ConvInteger (a, f) }`);
    expect(tapIntegerProducts(fed)).toMatchObject({ notTapped: 0 });
    const unknown = parseModel(
      `${header} g (uint8[1, 2, 3, 3] a, int8[2, c, 3, 3] f) => (i) { i = ConvInteger (a, f) }`,
    );
    expect(tapIntegerProducts(unknown)).toEqual({ taps: [], notTapped: 1 });
  });
});

describe('a kernel that computes something else', () => {
  /** One weight of the kernel is another by so much, after the check was written down. */
  async function spoiled(
    model: Model,
    op: string,
    input: number,
    by: number,
  ): Promise<(x: TensorData) => Promise<IntegerCheck>> {
    const node = [...model.graph.nodes()].find((one) => one.op === op) as Node;
    const { tensor } = constantOf(node.inputs[input] as Value) as ConstantRef;
    const bytes = tensor.bytes().slice();
    bytes[0] = (bytes[0] as number) + by;
    return async (x) => {
      const tapped = tapIntegerProducts(model);
      node.setInput(input, model.graph.addInitializer(tensorOfBytes(tensor.elementType, tensor.dims, bytes)));
      return runTapped(model, tapped, x);
    };
  }

  it.each([
    ['QLinearConv', 3, convolutionModel({ input: [1, 4, 5, 5], filters: [3, 4, 3, 3] }, safe), [1, 4, 5, 5], 27],
    ['QLinearMatMul', 3, productModel('MatMul', [12, 5], true, safe), [20, 12], 100],
    ['MatMulIntegerToFloat', 1, productModel('MatMul', [12, 5], false, safe), [20, 12], 100],
    ['QGemm', 3, productModel('Gemm', [12, 5], false, safe), [20, 12], 100],
  ] as const)('is found out: %s', async (op, input, text, dims, outputs) => {
    const run = await spoiled(await fused(text), op, input, 40);
    const result = await run(float(dims, 3, 3));
    expect(result.outputs).toBe(outputs);
    // The first column (or filter) alone reads the changed weight.
    expect(result.wrong).toBeGreaterThan(0);
    expect(result.wrong).toBeLessThanOrEqual(op === 'QLinearConv' ? 9 : 20);
    expect(result.worst[0]?.largest).toBeGreaterThanOrEqual(1);
  });

  it('is found out by one unit of the integer sum where the output is float', async () => {
    const run = await spoiled(await fused(productModel('MatMul', [64, 3], false, safe)), 'MatMulIntegerToFloat', 1, 1);
    const x = float([50, 64], 9, 2);
    const first = Array.from({ length: 50 }, (_, row) => new Float32Array(x.bytes.buffer)[row * 64] as number);
    const changed = first.filter((value) => Math.max(0, Math.round(value / Math.fround(0.02)) + 3) !== 3).length;
    expect(await run(x)).toMatchObject({ outputs: 150, wrong: changed });
  });
});
