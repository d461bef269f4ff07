import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { QuantizeReport, Statistics } from '@optimum/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type Outcome, optimum, processesWith, startOptimum, wait } from '../../../tools/testing/cli.ts';
import { snapshot } from '../../../tools/testing/tiny-models.ts';
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
    expect(page).toContain('--mode static --data texts.txt --html report.html</code>');
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

  it('compares on few samples, whichever way a calibrated mode is asked for', () => {
    writeFileSync(join(folder, 'twenty.txt'), Array.from({ length: 20 }, (_, index) => `text ${index}\n`).join(''));
    const comparedOn = (...args: readonly string[]): number =>
      proofOf(quantized('--data', 'twenty.txt', ...args)).cases.filter(({ label }) => label.startsWith('sample'))
        .length;
    expect(comparedOn()).toBe(20);
    expect(comparedOn('--recipe', 'static')).toBe(16);
    expect(comparedOn('--bias-correction')).toBe(16);
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
  });

  it('writes what it saw as a page, of one run and of several', () => {
    const args = ['calibrate', 'model', '--data', 'texts.txt', '-o', 'page.json', '--html', 'page.html'] as const;
    expect(run(...args).code).toBe(0);
    const page = readFileSync(join(folder, 'page.html'), 'utf8');
    const { sessions } = JSON.parse(readFileSync(join(folder, 'page.json'), 'utf8')) as Statistics;
    const tensors = Object.keys(sessions.model?.tensors ?? {});
    expect(page.match(/<svg/g)).toHaveLength(tensors.length);
    for (const tensor of tensors) expect(page).toContain(tensor);
    expect(page).toContain(`optimum ${args.join(' ')}</code>`);
    expect(page).not.toContain('Careful');
    expect(run('calibrate', '--merge', 'page.json', '-o', 'merged.json', '--html', 'merged.html').code).toBe(0);
    const merged = readFileSync(join(folder, 'merged.html'), 'utf8');
    // The same statistics: only the command is another one.
    const beforeCommand = (text: string): string => text.slice(0, text.indexOf('The command:'));
    expect(beforeCommand(merged)).toBe(beforeCommand(page));
    expect(run('calibrate', 'model', '-o', 'made.json', '--html', 'made.html', '--quiet').out).toBe('');
    expect(readFileSync(join(folder, 'made.html'), 'utf8')).toContain('Careful');
  });

  it.skipIf(process.platform !== 'linux')('goes on where it was when it was killed, to the same bytes', async () => {
    const texts = Array.from({ length: 1000 }, (_, index) => `it broke after ${index} weeks of light use, a waste\n`);
    writeFileSync(join(folder, 'many.txt'), texts.join(''));
    const args = ['calibrate', 'model', '--data', 'many.txt', '--samples', '1000'];
    const partial = join(folder, 'resumed.json.partial');
    const env = { OPTIMUM_TEST_MARK: `${process.pid}-killed` };
    const { child, ended } = startOptimum([...args, '-o', 'resumed.json'], { cwd: folder, env });
    const isRunning = (): boolean =>
      processesWith('OPTIMUM_TEST_MARK', env.OPTIMUM_TEST_MARK).some(({ command }) => command.includes('session-'));
    expect(await eventually(isRunning, 30_000)).toBe(true);
    await wait(500);
    // Something is saved when 5 s have passed, which is longer than all samples take on a fast machine.
    child.kill('SIGSTOP');
    await wait(5000);
    child.kill('SIGCONT');
    expect(await eventually(() => existsSync(partial), 30_000)).toBe(true);
    child.kill('SIGKILL');
    expect((await ended).signal).toBe('SIGKILL');
    expect(existsSync(join(folder, 'resumed.json'))).toBe(false);
    const { code, out } = run(...args, '-o', 'resumed.json', '--json');
    expect(code).toBe(0);
    const [session] = JSON.parse(out).sessions;
    expect(session.samples).toBe(1000);
    expect(session.resumedSamples).toBeGreaterThan(0);
    expect(existsSync(partial)).toBe(false);
    expect(run(...args, '-o', 'whole.json').code).toBe(0);
    expect(readFileSync(join(folder, 'resumed.json'), 'utf8')).toBe(readFileSync(join(folder, 'whole.json'), 'utf8'));
  });
});

describe('optimum calibrate with bad input', () => {
  /** Nothing is written, what stood stays, and standard error says one thing with the file in it. */
  function fails(args: readonly string[], code: number, name: string, message: RegExp): void {
    const before = snapshot(folder);
    const outcome = run('calibrate', ...args, '--json');
    expect(outcome).toMatchObject({ code, err: expect.stringMatching(`^error ${name}: `) });
    expect(outcome.err).toMatch(message);
    expect(JSON.parse(outcome.out).error.code).toBe(name);
    expect(snapshot(folder)).toEqual(before);
  }
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  const withData = (...data: readonly string[]): string[] => ['model', '-o', 'never.json', '--data', ...data];

  beforeAll(() => {
    write('empty.txt', '');
    write('blank.jsonl', '\n\n');
    write('labels.csv', 'review,stars\na fine phone,5\n');
    write('names.jsonl', '{"input_idz": [[1, 2]], "attention_mask": [[1, 1]]}\n');
    write('ragged.jsonl', '{"input_ids": [[1, 2], [3]], "attention_mask": [[1, 1], [1, 1]]}\n');
    write('types.jsonl', '{"input_ids": [[1.5, 2]], "attention_mask": [[1, 1]]}\n');
    write('ranks.jsonl', '{"input_ids": [1, 2], "attention_mask": [[1, 1]]}\n');
    write('vocabulary.jsonl', '{"input_ids": [[1, 99999999]], "attention_mask": [[1, 1]]}\n');
    write('cut.json', readFileSync(join(folder, 'all.json'), 'utf8').slice(0, 1000));
    const all = readFileSync(join(folder, 'all.json'), 'utf8');
    write('other-model.json', all.replace(/"model":"[0-9a-f]{64}"/, `"model":"${'0'.repeat(64)}"`));
    expect(run('calibrate', 'model', '--data', 'texts.txt', '--method', 'min-max', '-o', 'ranges.json').code).toBe(0);
  });

  it.each<[string, number, string, RegExp, string[]]>([
    ['an empty file', 24, 'E_DATA_INVALID', /empty\.txt/, withData('empty.txt')],
    ['no sample', 24, 'E_DATA_INVALID', /blank\.jsonl.*no sample/, withData('blank.jsonl')],
    ['no file', 30, 'E_IO', /nowhere\.jsonl/, withData('nowhere.jsonl')],
    [
      'a column that is not there',
      24,
      'E_DATA_MISMATCH',
      /labels\.csv.*opinion/s,
      withData('labels.csv', '--column', 'text=opinion'),
    ],
    ['a field that is none', 2, 'E_USAGE', /--column review.*FIELD=NAME/, withData('labels.csv', '--column', 'review')],
    ['wrong names', 24, 'E_DATA_MISMATCH', /names\.jsonl.*input_ids/s, withData('names.jsonl')],
    ['ragged rows', 24, 'E_DATA_INVALID', /ragged\.jsonl:1.*ragged/, withData('ragged.jsonl')],
    ['wrong types', 24, 'E_DATA_INVALID', /types\.jsonl:1.*1\.5, expected int64/, withData('types.jsonl')],
    ['wrong ranks', 24, 'E_DATA_MISMATCH', /ranks\.jsonl.*input_ids/, withData('ranks.jsonl')],
    [
      'a token past the vocabulary',
      24,
      'E_DATA_MISMATCH',
      /vocabulary\.jsonl:1.*99999999/,
      withData('vocabulary.jsonl'),
    ],
    ['an unknown method', 2, 'E_USAGE', /entropie/, withData('texts.txt', '--method', 'entropie')],
    ['a dynamic recipe', 22, 'E_NOTHING_TO_QUANTIZE', /--recipe static/, withData('texts.txt', '--recipe', 'latency')],
    ['neither model nor files', 2, 'E_USAGE', /--merge/, ['-o', 'never.json']],
    ['model and files', 2, 'E_USAGE', /--merge/, ['model', '--merge', 'all.json', '-o', 'never.json']],
    [
      'an output that exists',
      30,
      'E_OUTPUT_EXISTS',
      /all\.json[\s\S]*--force/,
      ['model', '-o', 'all.json', '--data', 'texts.txt'],
    ],
    [
      'a merge into what exists',
      30,
      'E_OUTPUT_EXISTS',
      /all\.json[\s\S]*--force/,
      ['--merge', 'all.json', '-o', 'all.json'],
    ],
    [
      'statistics of other models',
      24,
      'E_STATISTICS_MISMATCH',
      /different model/,
      ['--merge', 'all.json', 'other-model.json', '-o', 'never.json'],
    ],
    [
      'statistics of other requests',
      24,
      'E_STATISTICS_MISMATCH',
      /different observations[\s\S]*same method/,
      ['--merge', 'all.json', 'ranges.json', '-o', 'never.json'],
    ],
    [
      'samples twice',
      24,
      'E_STATISTICS_MISMATCH',
      /counted twice/,
      ['--merge', 'all.json', 'all.json', '-o', 'never.json'],
    ],
    ['a file that is cut off', 24, 'E_STATISTICS_INVALID', /cut\.json/, ['--merge', 'cut.json', '-o', 'never.json']],
    ['a file that is not there', 30, 'E_IO', /gone\.json/, ['--merge', 'gone.json', '-o', 'never.json']],
  ])('%s: %i %s', (_, code, name, message, args) => fails(args, code, name, message));

  it('--samples 0: 2', () => {
    expect(run('calibrate', ...withData('texts.txt', '--samples', '0'))).toMatchObject({
      code: 2,
      err: expect.stringContaining('--samples'),
    });
  });
});
