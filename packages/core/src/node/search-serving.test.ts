import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeTiny } from '../../../../tools/testing/tiny-models.ts';
import { servingRecipeOf } from '../evaluate/index.ts';
import { OptimumError } from '../foundation/index.ts';
import { fakeRuntime, measureBriefly as run } from './test-serving.ts';

const folder = mkdtempSync(join(tmpdir(), 'optimum-search-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tiny = (name: string): Promise<string> => writeTiny(join(folder, name));

describe('a search', () => {
  const disabled = 'optimization.disable_specified_optimizers';

  it('for latency finds the settings that are better, and only those', async () => {
    const models = [await tiny('a.onnx')];
    const { runtime, calls } = fakeRuntime(({ options }) => {
      const { threads = 1, config = {}, environment = {} } = options;
      const slower = environment.GLIBC_TUNABLES ? 1.2 : 1;
      return (10 / (threads === 4 ? 2 : threads)) * (config[disabled] ? 0.9 : 1) * slower;
    });
    const report = await run(runtime, { models, search: 'latency' });
    expect(report.search?.best.configuration).toMatchObject({
      threads: 2,
      instances: 1,
      config: { [disabled]: 'SkipLayerNormFusion' },
    });
    expect(report.search?.best.configuration.environment).toEqual({});
    expect(report.search?.trials).toContain(report.search?.best);
    // Hopeless ones get one round: two runs to warm up, and blocks.
    const hopeless = calls.filter(({ options }) => options.environment?.GLIBC_TUNABLES);
    if (process.platform === 'linux') expect(hopeless.length).toBeGreaterThan(0);
    expect(servingRecipeOf(report)).toMatchObject({
      serving: { threads: 2, instances: 1, spinning: true },
      onnxruntimeNode: { intraOpNumThreads: 2, extra: { [disabled]: 'SkipLayerNormFusion' } },
      transformersJs: { session_options: { intraOpNumThreads: 2 } },
    });
  });

  it('for throughput weighs instances and batches; one that crashes is no choice', async () => {
    const models = [await tiny('a.onnx')];
    const { runtime, open } = fakeRuntime(({ options, dims }) => {
      const batch = dims[0] ?? 1;
      if (batch >= 8) throw new OptimumError('E_LIMIT_MEMORY', 'too large');
      // A second thread helps little; a batch shares what each run costs.
      return (1 + 0.2 * batch) / (options.threads === 1 ? 1 : 1.1);
    });
    const report = await run(runtime, { models, search: 'throughput' });
    expect(report.search?.best).toMatchObject({ batch: 4, configuration: { threads: 1, instances: 4 } });
    expect(report.search?.trials.some(({ batch }) => batch === 8)).toBe(false);
    for (const { p50Ms } of report.search?.trials ?? []) expect(Number.isFinite(p50Ms.high)).toBe(true);
    expect(open.size).toBe(0);
  });
});
