import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchmarkReport, ServingRecipe } from '@optimum/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Outcome, optimum } from '../../../tools/testing/cli.ts';
import { writeTiny } from '../../../tools/testing/tiny-models.ts';

// The built program on tiny models: whether it measures, not how fast anything is.
const folder = mkdtempSync(join(tmpdir(), 'optimum-benchmark-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const run = (...args: readonly string[]): Outcome => optimum(['benchmark', ...args], { cwd: folder });
const brief = ['--duration', '0.2', '--rounds', '3'];

beforeAll(async () => {
  await writeTiny(join(folder, 'a.onnx'));
  await writeTiny(join(folder, 'deep.onnx'), { layers: 40 });
});

describe('optimum benchmark', () => {
  it('measures models beside each other, and shows it as JSON and as a page', () => {
    const { code, out, err } = run(
      'a.onnx',
      'deep.onnx',
      '--batch',
      '2',
      '--operators',
      '1',
      '--html',
      'b.html',
      '--json',
      ...brief,
    );
    expect([code, err]).toEqual([0, '']);
    const { models, points, warnings } = JSON.parse(out) as BenchmarkReport;
    expect(models.map(({ name }) => name)).toEqual(['a.onnx', 'deep.onnx']);
    const [shallow, deep] = points;
    expect(shallow?.inputs).toEqual({ x: [2, 64] });
    expect(shallow?.measurement.latencyMs.p50.value).toBeLessThan(deep?.measurement.latencyMs.p50.value ?? 0);
    expect(deep?.speedup?.value).toBeLessThan(1);
    expect(deep?.operators).toHaveLength(1);
    expect(warnings.some((warning) => warning.includes('made up'))).toBe(true);
    const page = readFileSync(join(folder, 'b.html'), 'utf8');
    expect(page).toContain('optimum benchmark a.onnx deep.onnx');
  });

  it('shows a table, with a price where one is given', () => {
    const { code, out, err } = run('a.onnx', '--price-per-hour', '0.5', ...brief);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/shape +model +p50 +p90 +p99 +speed-up +samples\/s +load +memory +cost of a million/);
    expect(out).toMatch(/1 +a\.onnx +\d+\.\d+ ms \[/);
  });

  it('searches for settings and writes the best, ready for use', () => {
    const { code, err } = run('a.onnx', '--search', 'latency', '-o', 'settings.json', '--quiet', ...brief);
    expect([code, err]).toEqual([0, '']);
    const settings = JSON.parse(readFileSync(join(folder, 'settings.json'), 'utf8')) as ServingRecipe;
    expect(settings.onnxruntimeNode).toMatchObject({ executionProviders: ['cpu'], interOpNumThreads: 1 });
    expect(settings.transformersJs.session_options).toEqual(settings.onnxruntimeNode);
    expect(settings.serving.threads).toBe(settings.onnxruntimeNode.intraOpNumThreads);
    const again = run('a.onnx', '--search', 'latency', '-o', 'settings.json');
    expect([again.code, again.err]).toEqual([30, expect.stringContaining('--force')]);
  });

  it.each<[string, number, RegExp, readonly string[]]>([
    ['a missing model', 30, /nothing\.onnx: there is no such file or folder/, ['nothing.onnx']],
    ['a bad list', 2, /Expected a whole number above 0/, ['a.onnx', '--batch', '1,x']],
    ['too few rounds', 2, /rounds: expected a whole number of at least 3, got 2/, ['a.onnx', '--rounds', '2']],
    ['a bad duration', 2, /Expected a number above 0/, ['a.onnx', '--duration', '0']],
    ['a bad objective', 2, /Expected latency or throughput/, ['a.onnx', '--search', 'size']],
    ['settings without a search', 2, /--output is for the settings/, ['a.onnx', '-o', 'x.json']],
    ['a bad pair', 2, /--session spinning: expected a name/, ['a.onnx', '--session', 'spinning']],
    [
      'more cores than there are',
      2,
      /1000 .*need|does not tell its cores/,
      ['a.onnx', '--instances', '1000', '--cores-per-instance', '1'],
    ],
  ])('%s', (_, code, message, args) => {
    const outcome = run(...args);
    expect(outcome.err).toMatch(message);
    expect(outcome.code).toBe(code);
    expect(outcome.out).toBe('');
  });
});
