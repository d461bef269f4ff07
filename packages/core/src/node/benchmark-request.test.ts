import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeTiny } from '../../../../tools/testing/tiny-models.ts';
import { assignCores, machineWarnings } from './benchmark-machine.ts';
import { benchmarkFiles } from './benchmark-models.ts';
import { type BenchmarkRequest, numbersOf } from './benchmark-request.ts';
import { machine } from './test-serving.ts';

const folder = mkdtempSync(join(tmpdir(), 'optimum-request-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tiny = (name: string): Promise<string> => writeTiny(join(folder, name));

describe('the parts of a request', () => {
  it.each<[string, Partial<BenchmarkRequest>]>([
    ['batch: expected a whole number of at least 1, got 0.', { batches: [1, 0] }],
    ['sequence: expected a number, got none.', { sequences: [] }],
    ['rounds: expected a whole number of at least 3, got 2.', { rounds: 2 }],
    ['duration: expected a number above 0, got NaN.', { durationMs: Number.NaN }],
    ['price per hour: expected a number above 0, got -1.', { pricePerHour: -1 }],
    ['threads: expected a whole number of at least 1, got 1.5.', { threads: 1.5 }],
  ])('%s', (message, request) => {
    expect(() => numbersOf({ models: [], ...request })).toThrow(expect.objectContaining({ code: 'E_USAGE', message }));
  });

  it('threads are those of the cores, when none are given', () => {
    expect(numbersOf({ models: [], coresPerInstance: 3 }).threads).toBe(3);
    expect(numbersOf({ models: [] })).toMatchObject({ threads: 1, instances: 1, rounds: 6 });
  });

  it('cores are refused where there are too few of them, or none are known', () => {
    expect(() => assignCores(machine.granted, 3, 2)).toThrow(/need 6, and this process may use 4 \(0, 1, 2, 3\)/);
    expect(() => assignCores({ granted: 4 }, 1, 1)).toThrow(/does not tell its cores/);
  });

  it('less than a core, and more threads than cores, are said', () => {
    const small = { ...machine, granted: { cores: [0], quota: 0.5, granted: 0.5 } };
    const warnings = machineWarnings(small, { threads: 1, instances: 1 });
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toContain('grants 0.50 of a CPU');
    expect(warnings[1]).toContain('1 thread');
    expect(machineWarnings(machine, { threads: 2, instances: 2 })).toEqual([]);
  });
});

describe('benchmarkFiles', () => {
  it('names files by what tells them apart', async () => {
    const paths = [await tiny('x/model.onnx'), await tiny('y/model.onnx'), await tiny('y/z.onnx')];
    expect(benchmarkFiles(paths).map(({ name }) => name)).toEqual(['x/model.onnx', 'y/model.onnx', 'z.onnx']);
    expect(benchmarkFiles([paths[0] as string, paths[0] as string]).map(({ name }) => name)).toEqual([
      'model.onnx',
      'model.onnx (2)',
    ]);
  });

  it('takes every ONNX file of a folder, the float one first', async () => {
    for (const name of ['model_quantized', 'model']) await tiny(`both/onnx/${name}.onnx`);
    await tiny('only/onnx/model_quantized.onnx');
    const names = (path: string): string[] => benchmarkFiles([join(folder, path)]).map(({ name }) => name);
    expect(names('both')).toEqual(['model.onnx', 'model_quantized.onnx']);
    expect(names('only')).toEqual(['model_quantized.onnx']);
  });

  it('of nothing, of what is not there and of a folder without models is an error', () => {
    mkdirSync(join(folder, 'empty'));
    writeFileSync(join(folder, 'empty/config.json'), '{}');
    expect(() => benchmarkFiles([])).toThrow(expect.objectContaining({ code: 'E_USAGE' }));
    expect(() => benchmarkFiles([join(folder, 'nothing.onnx')])).toThrow(expect.objectContaining({ code: 'E_IO' }));
    expect(() => benchmarkFiles([join(folder, 'empty')])).toThrow(
      expect.objectContaining({ code: 'E_MODEL_NOT_ONNX' }),
    );
  });
});
