import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { QuantizeReport, Statistics } from '@optimum/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Outcome, optimum } from '../../../tools/testing/cli.ts';
import { root } from '../../../tools/testing/zoo.ts';

// The built program on the example model: static ranges from data, from statistics, and from nothing.
const example = join(root, 'examples/reviews-bert-256');
const folder = mkdtempSync(join(tmpdir(), 'optimum-calibration-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: readonly string[]): Outcome => optimum(args, { cwd: folder });
const quantized = (...args: readonly string[]): QuantizeReport['sessions'][number] => {
  const { code, out, err } = run('quantize', 'model', '-o', 'out', '--force', '--no-timing', '--json', ...args);
  expect([code, err]).toEqual([0, '']);
  return (JSON.parse(out) as QuantizeReport).sessions[0] as QuantizeReport['sessions'][number];
};
const proofOf = ({ verification }: QuantizeReport['sessions'][number]) => {
  if (verification.status !== 'verified') throw new Error(verification.reason);
  return verification;
};

beforeAll(() => {
  for (const file of ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'onnx/model.onnx'])
    cpSync(join(example, file), join(folder, 'model', file));
  const lines = ['a fine phone', 'a waste of money', 'it broke after a week', 'I love the sound', 'works as described'];
  writeFileSync(join(folder, 'texts.txt'), `${lines.join('\n')}\n`);
  expect(run('calibrate', 'model', '--data', 'texts.txt', '-o', 'all.json').code).toBe(0);
});

describe('optimum quantize --mode static', () => {
  it('says what was calibrated, and its kernels are integer and exact', () => {
    const session = quantized('--mode', 'static', '--data', 'texts.txt', '--html', 'report.html');
    expect(session.calibration).toMatchObject({ samples: 5, madeUp: false, method: { id: 'percentile' } });
    const { kernels, integers, relativeError } = proofOf(session);
    expect(kernels.found).toMatchObject({ MatMulIntegerToFloat: 24, QGemm: 2 });
    expect(integers.wrong).toBe(0);
    expect(relativeError).toBeLessThan(0.05);
    const page = readFileSync(join(folder, 'report.html'), 'utf8');
    expect(page).toMatch(/^<!doctype html>/i);
    expect(page.match(/<svg/g)?.length).toBeGreaterThanOrEqual(session.calibration?.tensors.length ?? 1);
  });

  it('gives the same scales from statistics, whatever the file is called', () => {
    cpSync(join(folder, 'model/onnx/model.onnx'), join(folder, 'other-name.onnx'));
    const scalesOf = ({ calibration }: QuantizeReport['sessions'][number]) =>
      calibration?.tensors.map(({ id, scale, zeroPoint }) => [id, scale, zeroPoint]);
    const { code, out } = run(
      'quantize',
      'other-name.onnx',
      '-o',
      'renamed.onnx',
      '--mode',
      'static',
      '--json',
      '--no-verify',
      '--statistics',
      'all.json',
    );
    expect(code).toBe(0);
    const [renamed] = (JSON.parse(out) as QuantizeReport).sessions;
    expect(renamed?.calibration).toMatchObject({ samples: 5, madeUp: false, durationMs: 0 });
    expect(scalesOf(renamed as QuantizeReport['sessions'][number])).toEqual(
      scalesOf(quantized('--mode', 'static', '--data', 'texts.txt', '--no-verify')),
    );
  });

  it('refuses statistics of another model, and leaves what is there', () => {
    const before = readFileSync(join(folder, 'out/onnx/model_quantized.onnx'));
    const text = readFileSync(join(folder, 'all.json'), 'utf8');
    writeFileSync(join(folder, 'foreign.json'), text.replace(/"model":"[0-9a-f]{64}"/, `"model":"${'0'.repeat(64)}"`));
    const { code, err } = run(
      'quantize',
      'model',
      '-o',
      'out',
      '--force',
      '--mode',
      'static',
      '--statistics',
      'foreign.json',
    );
    expect([code, err]).toEqual([24, expect.stringContaining('E_STATISTICS_MISMATCH')]);
    expect(readFileSync(join(folder, 'out/onnx/model_quantized.onnx')).equals(before)).toBe(true);
  });

  it('says loudly that inputs were made up', () => {
    const { code, out } = run('quantize', 'model', '-o', 'made-up', '--mode', 'static', '--no-timing', '--no-verify');
    expect([code, out]).toEqual([0, expect.stringContaining('on made-up inputs: the ranges are a guess')]);
  });

  it('reports what accuracy algorithms gained', () => {
    const { algorithms } = quantized('--data', 'texts.txt', '--smooth-quant', '--bias-correction', '--no-verify');
    expect(algorithms?.map(({ id }) => id)).toEqual(['smooth-quant', 'bias-correction']);
    for (const { applied, errorBefore, errorAfter } of algorithms ?? []) {
      expect(applied).toBeGreaterThan(0);
      expect(errorAfter).toBeLessThan(errorBefore);
    }
  });
});

describe('optimum quantize --mode auto', () => {
  it('makes products dynamic, and is right', () => {
    const session = quantized('--mode', 'auto', '--data', 'texts.txt');
    expect(session.plan.entries.some(({ decision }) => decision.action === 'static')).toBe(false);
    expect(proofOf(session).integers.wrong).toBe(0);
  });
});

describe('optimum calibrate', () => {
  it('adds files up to what one run finds, byte for byte', () => {
    const lines = readFileSync(join(folder, 'texts.txt'), 'utf8');
    const { sessions } = JSON.parse(readFileSync(join(folder, 'all.json'), 'utf8')) as Statistics;
    expect(sessions.model).toMatchObject({ samples: 5, data: [{ ranges: [[0, 5]] }] });
    expect(lines.trim().split('\n')).toHaveLength(5);
    expect(run('calibrate', '--merge', 'all.json', '-o', 'same.json').code).toBe(0);
    expect(readFileSync(join(folder, 'same.json'), 'utf8')).toBe(readFileSync(join(folder, 'all.json'), 'utf8'));
    const twice = run('calibrate', '--merge', 'all.json', 'all.json', '-o', 'twice.json');
    expect([twice.code, twice.err]).toEqual([24, expect.stringContaining('counted twice')]);
  });

  it.each([
    [24, 'E_DATA_INVALID', ['--data', 'empty.txt']],
    [30, 'E_OUTPUT_EXISTS', ['--data', 'texts.txt', '-o', 'all.json']],
    [2, 'E_USAGE', ['--data', 'texts.txt', '--method', 'entropie']],
    [2, '--samples', ['--data', 'texts.txt', '--samples', '0']],
    [30, 'E_IO', ['--data', 'nowhere.jsonl']],
  ])('exits with %i for %s', (code, text, args) => {
    writeFileSync(join(folder, 'empty.txt'), '');
    const output = args.includes('-o') ? [] : ['-o', 'never.json'];
    const failed = run('calibrate', 'model', ...output, ...args);
    expect([failed.code, failed.err]).toEqual([code, expect.stringContaining(text)]);
  });
});
