import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeTiny } from '../../../../tools/testing/tiny-models.ts';
import { OptimumError } from '../foundation/index.ts';
import { parseModel } from '../text/index.ts';
import { saveModel } from './save-model.ts';
import { fakeRuntime, machine, measureBriefly as run } from './test-serving.ts';

const folder = mkdtempSync(join(tmpdir(), 'optimum-benchmark-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tiny = (name: string): Promise<string> => writeTiny(join(folder, name));

async function modelOf(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await saveModel(parseModel(text), path, { force: true });
  return path;
}

describe('measure', () => {
  it('compares models beside each other, at every batch', async () => {
    const models = [await tiny('a.onnx'), await tiny('b.onnx')];
    const { runtime, open, calls } = fakeRuntime(
      ({ path, dims }) => (path.endsWith('b.onnx') ? 0.5 : 1) * (dims[0] ?? 1),
    );
    const report = await run(runtime, { models, batches: [1, 4], operators: 2, pricePerHour: 3.6 });
    expect(report.models.map(({ name }) => name)).toEqual(['a.onnx', 'b.onnx']);
    const shown = report.points.map(({ model, batch, measurement, speedup }) => [
      model,
      batch,
      measurement.latencyMs.p50.value,
      Math.round(measurement.throughput.value),
      speedup?.verdict,
    ]);
    expect(shown).toEqual([
      ['a.onnx', 1, 1, 1000, undefined],
      ['b.onnx', 1, 0.5, 2000, 'faster'],
      ['a.onnx', 4, 4, 1000, undefined],
      ['b.onnx', 4, 2, 2000, 'faster'],
    ]);
    const [, second] = report.points;
    expect(second?.speedup?.value).toBeCloseTo(2, 9);
    expect(second?.measurement).toMatchObject({ loadMs: 7, residentBytes: 1000 });
    expect(second?.measurement.costPerMillion?.value).toBeCloseTo(0.5, 9);
    expect(second?.operators?.map(({ meanUs }) => meanUs)).toEqual([3, 2]);
    expect(second?.inputs).toEqual({ x: [1, 64] });
    expect(calls.every(({ options }) => options.threads === 1)).toBe(true);
    expect(open.size).toBe(0);
    // JSON knows no infinity.
    expect(JSON.stringify(report)).not.toContain('null');
  });

  it('leaves out what a model cannot have, and says so', async () => {
    const fixed = await modelOf(
      'fixed.onnx',
      '<ir_version: 8, opset_import: ["" : 17]> g (float[2, 8] x) => (float[2, 8] y) { y = Relu(x) }',
    );
    const { runtime } = fakeRuntime(() => 1);
    const report = await run(runtime, { models: [fixed], batches: [1, 2], sequences: [16] });
    expect(report.points.map(({ batch, sequence }) => [batch, sequence])).toEqual([[2, undefined]]);
    expect(report.warnings).toContain('fixed.onnx has a batch of 2 that is fixed: batch 1 was left out');
    expect(report.warnings).toContain('fixed.onnx has no sequence: sequence 16 was left out');
  });

  it('goes on when a model refuses a shape, and ends when it refuses all', async () => {
    const models = [await tiny('a.onnx')];
    const { runtime, open } = fakeRuntime(({ dims }) => {
      if ((dims[0] ?? 1) > 2) throw new OptimumError('E_DATA_MISMATCH', 'too large');
      return 1;
    });
    const report = await run(runtime, { models, batches: [2, 8] });
    expect(report.points.map(({ batch }) => batch)).toEqual([2]);
    expect(report.warnings).toContain('a.onnx does not take batch 8, left out: too large');
    await expect(run(runtime, { models, batches: [8, 9] })).rejects.toMatchObject({ code: 'E_DATA_MISMATCH' });
    expect(open.size).toBe(0);
  });

  it('a crash in the middle ends it, and leaves no process', async () => {
    const models = [await tiny('a.onnx'), await tiny('b.onnx')];
    let left = 9;
    const { runtime, open } = fakeRuntime(() => {
      if (left-- === 0) throw new OptimumError('E_BACKEND_CRASHED', 'it is gone');
      return 1;
    });
    await expect(run(runtime, { models })).rejects.toMatchObject({ code: 'E_BACKEND_CRASHED' });
    expect(open.size).toBe(0);
  });

  it('does not compare models that do other work', async () => {
    const other = await modelOf(
      'other.onnx',
      '<ir_version: 8, opset_import: ["" : 17]> g (float[batch, 8] z) => (float[batch, 8] y) { y = Relu(z) }',
    );
    const { points } = await run(fakeRuntime(() => 1).runtime, { models: [await tiny('a.onnx'), other] });
    expect(points.map(({ speedup }) => speedup)).toEqual([undefined, undefined]);
  });

  it('binds instances to cores of their own, and runs them at the same time', async () => {
    const { runtime, calls } = fakeRuntime(() => 2);
    const request = { models: [await tiny('a.onnx')], instances: 2, coresPerInstance: 2 };
    const { points } = await run(runtime, request);
    expect(points[0]?.configuration).toMatchObject({
      threads: 2,
      cores: [
        [0, 1],
        [2, 3],
      ],
    });
    expect(new Set(calls.map(({ options }) => options.cores?.join()))).toEqual(new Set(['0,1', '2,3']));
    expect(points[0]?.measurement.throughput.value).toBeCloseTo(1000, 0);
    expect(points[0]?.measurement.residentBytes).toBe(2000);
  });

  it('says what weakens the figures, and widens intervals on a busy machine', async () => {
    let turn = 0;
    const noisy = fakeRuntime(() => {
      turn += 0.618;
      return 1 + 0.1 * (turn % 1);
    }).runtime;
    const models = [await tiny('a.onnx')];
    const busy = { ...machine, busyBefore: 0.5 };
    const widths = [];
    for (const on of [machine, busy]) {
      turn = 0;
      const report = await run(noisy, { models }, on);
      const { low, high } = report.points[0]?.measurement.throughput ?? { low: 1, high: 1 };
      widths.push(Math.log(high / low));
      expect(report.warnings.some((warning) => warning.includes('busy before (50 %'))).toBe(on === busy);
    }
    expect((widths[1] as number) / (widths[0] as number)).toBeCloseTo(Math.SQRT2, 6);
  });
});
