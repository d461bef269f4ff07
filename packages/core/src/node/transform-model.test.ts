import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { randomFeed, relativeDistance, runBytes } from '../../../../tools/testing/quantize-statically.ts';
import { seededRandom } from '../foundation/index.ts';
import { type Model, walkNodes } from '../ir/index.ts';
import { parseModel, printModel } from '../text/index.ts';
import type { AlgorithmSettings } from './calibration-options.ts';
import { loadModel } from './load-model.ts';
import { saveModel } from './save-model.ts';
import { type ContextOptions, randomData, testContext } from './test-session-context.ts';
import { transformModel } from './transform-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'optimum-transform-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'original.onnx');

const random = seededRandom(5);
/** Rows of a weight; the second is so small that its channel of outliers counts no more than others. */
const numbers = (rows: number, columns: number): string =>
  Array.from({ length: rows * columns }, (_, index) =>
    (random.normal() * (Math.floor(index / columns) === 1 ? 1 / 200 : 1)).toPrecision(5),
  ).join();

/** A normalization with an outlier channel, a product of it, and two convolutions of uneven channels. */
const outlier = `<ir_version: 8, opset_import: ["": 17]> g (float[b,8] x) => (float[b,8] y)
  <float[8] gain = {1, 200, 1, 1, 1, 1, 1, 1}, float[8] zero = {0,0,0,0,0,0,0,0}, float[8,8] w = {${numbers(8, 8)}}>
  { n = LayerNormalization (x, gain, zero)  y = MatMul (n, w) }`;
const uneven = `<ir_version: 8, opset_import: ["": 17]> g (float[b,8] x) => (float[b,2,1,8] y)
  <int64[4] image = {0, 1, 1, 8}, float[4,1,1,1] w = {1, 200, 1, 0.5}, float[2,4,1,1] v = {1, 0.01, 1, 1, 0.5, 0.02, -1, 1}>
  { i = Reshape (x, image)  h = Conv (i, w)  r = Relu (h)  y = Conv (r, v) }`;

async function transformed(text: string, algorithms: AlgorithmSettings, more: ContextOptions = {}) {
  const context = testContext({
    ...more,
    options: { algorithms, calibration: randomData([16, 8], 8), ...more.options },
  });
  const scratch = mkdtempSync(join(folder, 'scratch-'));
  await saveModel(parseModel(text), path, { force: true });
  const original = await loadModel(path);
  const result = await transformModel(original, { name: 'model', input: path, output: 'model.onnx' }, context, scratch);
  return { ...result, original, scratch };
}

const feeds = [{ x: randomFeed([4, 8], 100) }];
const outputsOf = async (model: Model) => (await runBytes(model, feeds)).outputs;

describe('transformModel', () => {
  it('leaves a model as it is where nothing is asked for', async () => {
    const { loaded, original, algorithms, notes, scratch } = await transformed(outlier, {}, { mode: 'dynamic' });
    expect([loaded === original, algorithms, notes]).toEqual([true, [], []]);
    expect(printModel(loaded.model)).toBe(printModel(parseModel(outlier)));
    expect(existsSync(join(scratch, 'smooth.onnx'))).toBe(false);
    loaded.close();
  });

  it.each([
    ['smooth-quant', outlier, { smoothQuant: true }, 'smooth.onnx'],
    ['cross-layer-equalization', uneven, { crossLayerEqualization: true }, 'equalized.onnx'],
  ] as const)('writes what %s makes to a file, and computes the same', async (id, text, settings, file) => {
    const { loaded, algorithms, notes, scratch } = await transformed(text, settings);
    expect(algorithms).toMatchObject([{ id, applied: 1 }]);
    expect(algorithms[0]?.errorAfter).toBeLessThan(algorithms[0]?.errorBefore ?? 0);
    expect([loaded.path, notes]).toEqual([join(scratch, file), []]);
    expect(relativeDistance(await outputsOf(loaded.model), await outputsOf(parseModel(text)))).toBeLessThan(1e-5);
    loaded.close();
  });

  it('equalizes first, then smooths what came of it', async () => {
    const { loaded, algorithms, scratch } = await transformed(outlier, {
      smoothQuant: true,
      crossLayerEqualization: true,
    });
    expect(algorithms.map(({ id }) => id)).toEqual(['cross-layer-equalization', 'smooth-quant']);
    expect(loaded.path).toBe(join(scratch, 'smooth.onnx'));
    loaded.close();
  });

  it('says when SmoothQuant looked at made-up inputs', async () => {
    const { loaded, notes } = await transformed(
      outlier,
      { smoothQuant: true },
      { options: { calibration: undefined } },
    );
    expect(notes).toEqual(['SmoothQuant looked at made-up inputs: give --data']);
    loaded.close();
  });

  it('brings models for ranges from calibration into canonical form, and says why where it cannot', async () => {
    const normalized = `<ir_version: 8, opset_import: ["": 17]> g (float[b,1,2,2] x) => (float[b,1,2,2] y)
      <float[1,1,1,1] w = {2}, float[1] one = {1}, float[1] half = {0.5}> { h = Conv (x, w)  y = BatchNormalization (h, one, half, half, one) }`;
    const kept = await transformed(normalized, {}, { mode: 'dynamic' });
    const folded = await transformed(normalized, {});
    const opsOf = ({ loaded }: typeof kept): string[] => [...walkNodes(loaded.model)].map(({ op }) => op);
    expect([opsOf(kept), opsOf(folded)]).toEqual([['Conv', 'BatchNormalization'], ['Conv']]);
    for (const { loaded } of [kept, folded]) loaded.close();
  });
});
