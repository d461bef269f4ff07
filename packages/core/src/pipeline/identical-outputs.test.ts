import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from '../../../../tools/testing/zoo.ts';
import { createOnnxRuntime } from '../../../runtime-onnxruntime/src/index.ts';
import { saveModel } from '../node/save-model.ts';
import { parseModel } from '../text/index.ts';
import { requireIdentical } from './identical-outputs.ts';

const folder = mkdtempSync(join(tmpdir(), 'optimum-identical-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const header = '<ir_version: 8, opset_import: ["": 17]>\n';
const product = (type: 'uint8' | 'int8', weight: number, zero: number): string =>
  `${header}g (float[n, 2] x) => (float[n, 2] y)
   <${type}[2, 2] w = {${weight}, ${weight}, ${weight}, ${weight}}, ${type} wz = {${zero}}> {
     q, s, z = DynamicQuantizeLinear (x) i = MatMulInteger (q, w, z, wz) f = Cast <to = 1> (i) y = Mul (f, s) }`;

/** Signed on both sides: it does not load with the entry that makes its weights unsigned. */
const signed = `${header}g (float[n, 2] x) => (float[n, 2] y)
  <float s = {0.1}, int8 z = {0}, int8[2, 2] w = {100, 1, 2, 3}> {
    q = QuantizeLinear (x, s, z) m = QLinearMatMul (q, s, z, w, s, z, s, z) y = DequantizeLinear (m, s, z) }`;

async function compare(first: string, second: string, more: Partial<Parameters<typeof requireIdentical>[0]> = {}) {
  const [original, changed] = [join(folder, 'first.onnx'), join(folder, 'second.onnx')];
  await saveModel(parseModel(first), original, { force: true });
  await saveModel(parseModel(second), changed, { force: true });
  return requireIdentical({
    name: 'model.onnx',
    runtime: createOnnxRuntime({ from: join(root, 'apps/cli') }),
    original: { path: original },
    changed: { path: changed },
    options: { threads: 1 },
    feeds: [{ x: { elementType: 'float32', dims: [1, 2], bytes: new Uint8Array(Float32Array.of(1, -2).buffer) } }],
    requiredUpTo: 'all',
    saturatesHere: false,
    ...more,
  });
}

describe('requireIdentical', () => {
  it('names the levels at which outputs are the same bytes', async () => {
    const check = await compare(product('uint8', 130, 120), product('int8', 2, -8));
    expect(check).toEqual({
      requiredUpTo: 'all',
      identicalAt: ['disabled', 'basic', 'extended', 'all'],
      cases: 1,
    });
  });

  it('refuses another grid where the same is required, and only says so where it is not', async () => {
    const [first, second] = [product('uint8', 130, 120), product('int8', 3, -8)];
    await expect(compare(first, second)).rejects.toMatchObject({
      code: 'E_VERIFY_NUMERIC',
      message: expect.stringContaining(
        'output "y" differs from that of the given model at optimization level disabled',
      ),
    });
    expect(await compare(first, second, { requiredUpTo: 'none' })).toMatchObject({ identicalAt: [] });
  });

  it('goes without exact kernels where a model does not load with them', async () => {
    expect(await compare(signed, signed, { saturatesHere: true })).toMatchObject({
      identicalAt: ['disabled', 'basic', 'extended', 'all'],
    });
  });

  it('holds what saturates before kernels are exchanged not against a model', async () => {
    const [first, second] = [product('uint8', 130, 120), product('int8', 3, -8)];
    await expect(compare(first, second, { saturatesHere: true })).rejects.toMatchObject({
      message: expect.stringContaining('level extended'),
    });
  });
});
