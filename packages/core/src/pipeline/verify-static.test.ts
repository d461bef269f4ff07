import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from '../../../../tools/testing/zoo.ts';
import { onnxruntime } from '../../../runtime-onnxruntime/src/index.ts';
import type { TensorData } from '../backend/index.ts';
import { OptimumError, seededRandom } from '../foundation/index.ts';
import { loadModelSync } from '../node/load-model.ts';
import { serializeModel } from '../onnx/index.ts';
import { parseModel } from '../text/index.ts';
import { convolutionModel, header, productModel } from './test-static-models.ts';
import { type VerifyRequest, verifyModel } from './verify.ts';

const folder = mkdtempSync(join(tmpdir(), 'optimum-verify-static-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A model with static integers, and the float model that it stands for: the same without QuantizeLinear. */
function written(name: string, text: string): { quantized: string; original: string } {
  const float = text
    .replace('xq = QuantizeLinear (x, s, z)  d = DequantizeLinear (xq, s, z)', 'd = Identity (x)')
    .replace('yq = QuantizeLinear (o, r, q)  y = DequantizeLinear (yq, r, q)', 'y = Identity (o)');
  const paths = { quantized: join(folder, `${name}.onnx`), original: join(folder, `${name}-float.onnx`) };
  writeFileSync(paths.quantized, serializeModel(parseModel(text)));
  writeFileSync(paths.original, serializeModel(parseModel(float)));
  return paths;
}

/** Numbers from 0 to 5: what scale 0.02 and zero point 3 hold. */
function feeds(dims: readonly number[]): Record<string, TensorData> {
  const random = seededRandom(4);
  const count = dims.reduce((a, b) => a * b, 1);
  const values = Float32Array.from({ length: count }, () => random.next() * 5);
  return { x: { elementType: 'float32', dims, bytes: new Uint8Array(values.buffer) } };
}

function requestOf(name: string, text: string, dims: readonly number[]): VerifyRequest {
  const { quantized, original } = written(name, text);
  return {
    name,
    runtime: onnxruntime,
    original: { path: original },
    quantized: { path: quantized },
    optimizedModelPath: join(folder, 'optimized.onnx'),
    readModel: (path) => loadModelSync(path).model,
    tapped: {
      model: loadModelSync(quantized).model,
      serialize: (model) =>
        serializeModel(model, { slim: { locate: (source) => source.path && basename(source.path) } }),
      folder,
    },
    kernels: ['QLinearConv', 'QLinearMatMul', 'MatMulIntegerToFloat', 'QGemm'],
    cases: [{ label: 'sample 1 of the data', attempts: [() => feeds(dims)], isGiven: true }],
    moreCases: [],
    timing: { notMeasured: 'switched off' },
    threads: 1,
    from: root,
    session: {},
    exactKernelPath: false,
    judgeBy: 'given',
  };
}

// No weights that saturate: these hold on any CPU.
const safe = { largestWeight: 64 };

describe('verifyModel of static models, on the runtime', () => {
  it.each([
    ['conv', convolutionModel({ input: [1, 4, 9, 9], filters: [3, 4, 3, 3] }, safe), [1, 4, 9, 9], 'QLinearConv', 147],
    ['matmul', productModel('MatMul', [40, 3], false, safe), [60, 40], 'MatMulIntegerToFloat', 180],
    ['gemm', productModel('Gemm', [40, 3], true, safe), [60, 40], 'QGemm', 180],
  ] as const)('proves kernels, integers and outputs: %s', async (name, text, dims, kernel, outputs) => {
    const report = await verifyModel(requestOf(name, text, dims));
    expect(report.kernels).toMatchObject({ expected: 1, found: { [kernel]: 1 } });
    expect(report.integers).toEqual({ nodes: 1, notTapped: 0, outputs, wrong: 0, worst: [] });
    expect(report.relativeError).toBeLessThan(0.1);
    expect(report.notChecked).toEqual(['speed: switched off']);
  });

  it('proves a model that the integer operators are written in', async () => {
    const text = `${header} g (float[n, 4] x) => (y)
      <float s = {0.02}, uint8 z = {3}, int8[4, 2] w = {1, -2, 3, 4, 50, -60, 7, 8}, float ws = {0.01}, int8 wz = {0}, float r = {0.05}, uint8 q = {100}>
      { xq = QuantizeLinear (x, s, z)  yq = QLinearMatMul (xq, s, z, w, ws, wz, r, q)  y = DequantizeLinear (yq, r, q) }`;
    const request = requestOf('qoperator', text, [50, 4]);
    const original = written(
      'qoperator-original',
      `${header} g (float[n, 4] x) => (y) <float[4, 2] w = {0.01, -0.02, 0.03, 0.04, 0.5, -0.6, 0.07, 0.08}> { y = MatMul (x, w) }`,
    );
    const report = await verifyModel({ ...request, original: { path: original.original } });
    expect(report.kernels.found).toEqual({ QLinearMatMul: 1 });
    expect(report.integers).toMatchObject({ nodes: 1, outputs: 100, wrong: 0 });
  });

  it('refuses a model whose weights are dequantized on every run', async () => {
    const text = productModel('MatMul', [16, 8], false, safe).replace('y = Identity (o)', 'y = Add (o, bf)');
    const biased = text.replace('int32[8] bq', 'float[8] bf = {1, 2, 3, 4, 5, 6, 7, 8}, int32[8] bq');
    const error = await verifyModel(requestOf('trap', biased, [4, 16])).catch((failure: unknown) => failure);
    expect(OptimumError.isInstance(error) && error.code).toBe('E_VERIFY_KERNELS');
    expect(String(error)).toMatch(/dequantizes the weights of 1 nodes on every run/);
  });
});
