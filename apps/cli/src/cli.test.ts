import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// These tests run the built program as a user would; `npm test` builds it first.
const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const program = join(root, 'apps/cli/bin/optimum.js');
const example = join(root, 'examples/reviews-bert-256');
const folder = mkdtempSync(join(tmpdir(), 'optimum-cli-'));
const model = join(folder, 'model.onnx');

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function optimum(...args: readonly string[]): Outcome {
  const { status, stdout, stderr } = spawnSync('node', [program, ...args], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 120_000,
  });
  return { code: status, out: stdout, err: stderr };
}

/** Names in a folder that a failed run must not leave behind. */
const leftovers = (): string[] => readdirSync(folder).filter((name) => name.includes('.tmp-'));

beforeAll(() => cpSync(join(example, 'onnx/model.onnx'), model));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('optimum quantize', () => {
  it('makes a smaller file beside the input, proven on the runtime', () => {
    const { code, out } = optimum('quantize', 'model.onnx', '--json');
    expect(code).toBe(0);
    const report = JSON.parse(out);
    const [session] = report.sessions;
    expect(session.output).toBe(join(folder, 'model_quantized.onnx'));
    expect(existsSync(session.output)).toBe(true);
    expect(session.bytes.after / session.bytes.before).toBeLessThan(0.27);
    expect(session.operators).toEqual({
      Gather: { integer: 2, total: 2 },
      MatMul: { integer: 24, total: 32 },
      Gemm: { integer: 2, total: 2 },
    });
    expect(session.verification.status).toBe('verified');
    expect(session.verification.integers).toMatchObject({ nodes: 26, wrong: 0 });
    expect(session.verification.relativeError).toBeLessThan(0.05);
    expect(leftovers()).toEqual([]);
  });

  it('does not overwrite, and does not quantize twice', () => {
    const before = readFileSync(join(folder, 'model_quantized.onnx'));
    const again = optimum('quantize', 'model.onnx');
    expect([again.code, again.err]).toEqual([30, expect.stringContaining('E_OUTPUT_EXISTS')]);
    expect(readFileSync(join(folder, 'model_quantized.onnx')).equals(before)).toBe(true);
    const twice = optimum('quantize', 'model_quantized.onnx');
    expect([twice.code, twice.err]).toEqual([22, expect.stringContaining('E_ALREADY_QUANTIZED')]);
    expect(leftovers()).toEqual([]);
  });

  it('makes the same bytes each time, and pair-aware weights for a target that saturates', () => {
    const bytes = (...args: string[]): Buffer => {
      expect(
        optimum('quantize', 'model.onnx', '-o', 'same.onnx', '--force', '--no-verify', '--quiet', ...args).code,
      ).toBe(0);
      return readFileSync(join(folder, 'same.onnx'));
    };
    const full = bytes('--target', 'cascade-lake');
    expect(bytes('--target', 'cascade-lake').equals(full)).toBe(true);
    expect(bytes('--target', 'skylake-sp').equals(full)).toBe(false);
    const { out } = optimum('quantize', 'model.onnx', '-o', 'portable.onnx', '--target', 'portable', '--json');
    const [session] = JSON.parse(out).sessions;
    expect(session.scaleFactor).toBeGreaterThan(1.1);
    expect(session.scaleFactor).toBeLessThan(1.7);
    expect(session.verification.integers.wrong).toBe(0);
  });

  it('follows an edited plan, and refuses one that does not fit', () => {
    const plan = JSON.parse(optimum('quantize', 'model.onnx', '-o', 'plan.onnx', '--dry-run', '--json').out);
    expect(existsSync(join(folder, 'plan.onnx'))).toBe(false);
    const gemm = plan.entries.find((entry: { op: string }) => entry.op === 'Gemm');
    gemm.decision = { action: 'float', reason: { code: 'excluded', text: 'sensitive' } };
    writeFileSync(join(folder, 'plan.json'), JSON.stringify(plan));
    const { out } = optimum(
      'quantize',
      'model.onnx',
      '-o',
      'plan.onnx',
      '--plan',
      'plan.json',
      '--no-verify',
      '--json',
    );
    expect(JSON.parse(out).sessions[0].operators.Gemm).toEqual({ integer: 1, total: 2 });
    gemm.id = 'no such node';
    gemm.decision = { action: 'matmull' };
    writeFileSync(join(folder, 'plan.json'), JSON.stringify(plan));
    const bad = optimum('quantize', 'model.onnx', '-o', 'bad.onnx', '--plan', 'plan.json');
    expect([bad.code, bad.err]).toEqual([20, expect.stringMatching(/E_CONFIG_SCHEMA.*did you mean matmul\?/)]);
  });

  it('leaves out what is excluded, and refuses selectors that match nothing', () => {
    const { out } = optimum(
      'quantize',
      'model.onnx',
      '-o',
      'excluded.onnx',
      '--exclude',
      'Gemm',
      '--exclude',
      're:query',
      '--dry-run',
      '--json',
    );
    const decisions = JSON.parse(out).entries.filter(
      (entry: { decision: { reason?: { code: string } } }) => entry.decision.reason?.code === 'excluded',
    );
    expect(decisions).toHaveLength(6);
    const { code, err } = optimum('quantize', 'model.onnx', '-o', 'gem.onnx', '--exclude', 'Gem');
    expect([code, err]).toEqual([2, expect.stringContaining('did you mean "Gemm"')]);
  });

  it('compares on the data that is given', () => {
    writeFileSync(join(folder, 'samples.jsonl'), '"a fine phone"\n{"text": "a waste of money"}\n');
    cpSync(join(example, 'tokenizer.json'), join(folder, 'tokenizer.json'));
    cpSync(join(example, 'tokenizer_config.json'), join(folder, 'tokenizer_config.json'));
    const { out } = optimum('quantize', 'model.onnx', '-o', 'data.onnx', '--data', 'samples.jsonl', '--json');
    const labels = JSON.parse(out).sessions[0].verification.cases.map((one: { label: string }) => one.label);
    expect(labels).toEqual(
      expect.arrayContaining(['made-up inputs 1', 'sample 1 of the data', 'sample 2 of the data']),
    );
    writeFileSync(join(folder, 'samples.jsonl'), '{"input_idz": [[1]]}\n');
    const bad = optimum('quantize', 'model.onnx', '-o', 'bad.onnx', '--data', 'samples.jsonl');
    expect([bad.code, bad.err]).toEqual([24, expect.stringContaining('samples.jsonl:1: "input_idz" is no input')]);
  });
});

describe('a model folder', () => {
  const output = join(folder, 'reviews-optimized');

  it('becomes a folder that transformers.js loads as q8, as accurate as before', () => {
    expect(optimum('quantize', example, '-o', output, '--no-verify', '--quiet').code).toBe(0);
    const config = JSON.parse(readFileSync(join(output, 'config.json'), 'utf8'));
    expect(config['transformers.js_config']).toEqual({ dtype: 'q8' });
    expect(readdirSync(join(output, 'onnx'))).toEqual(['model_quantized.onnx']);
    expect(readFileSync(join(output, 'tokenizer.json')).equals(readFileSync(join(example, 'tokenizer.json')))).toBe(
      true,
    );
    const answers = execFileSync('node', ['--input-type=module', '-e', classify(output)], { encoding: 'utf8' })
      .trim()
      .split('\n');
    // fp32 in the same library: 0.8467 (508 of 600).
    expect(Number(answers.at(-1))).toBeGreaterThanOrEqual(0.84);
  });
});

/** A program that prints the accuracy of a folder on the example's test set. */
function classify(output: string): string {
  const library = createRequire(join(root, 'apps/cli/package.json')).resolve('@huggingface/transformers');
  return `
    process.env.ORT_DISABLE_TELEMETRY = '1';
    const { readFileSync } = await import('node:fs');
    const { pipeline, env } = await import(${JSON.stringify(library)});
    env.allowRemoteModels = false;
    const run = await pipeline('text-classification', ${JSON.stringify(output)});
    const rows = readFileSync(${JSON.stringify(join(example, 'test.tsv'))}, 'utf8').trim().split('\\n').map((line) => line.split('\\t'));
    let right = 0;
    for (const [text, label] of rows) right += ((await run(text))[0].label === 'POSITIVE') === (label === '1' || label === 'POSITIVE');
    console.log(right / rows.length);`;
}

describe('bad input', () => {
  const write = (name: string, content: string | Buffer): string => {
    writeFileSync(join(folder, name), content);
    return name;
  };

  it.each([
    ['nothing there', () => 'missing.onnx', 30, /E_IO: missing\.onnx: there is no such file/],
    ['an empty file', () => write('empty.onnx', ''), 21, /E_MODEL_NOT_ONNX.*it is empty/],
    ['an HTML page', () => write('page.onnx', '<!DOCTYPE html><html></html>'), 21, /E_MODEL_NOT_ONNX.*HTML page/],
    [
      'an LFS pointer',
      () => write('lfs.onnx', 'version https://git-lfs.github.com/spec/v1\n'),
      21,
      /git-lfs pointer[\s\S]*git lfs pull/,
    ],
    ['a pickle', () => write('pickle.onnx', Buffer.from([0x80, 2, 0x7d])), 21, /Python pickle/],
    ['a truncated model', () => write('cut.onnx', readFileSync(model).subarray(0, 5000)), 21, /E_MODEL_WIRE.*byte/],
    [
      'noise',
      () => write('noise.onnx', Buffer.from(Array.from({ length: 999 }, (_, i) => (i * 197 + 31) % 256))),
      21,
      /E_MODEL_/,
    ],
    [
      'a folder without models',
      () => {
        mkdirSync(join(folder, 'void'), { recursive: true });
        return 'void';
      },
      21,
      /holds no \.onnx file/,
    ],
  ])('%s', (_name, make, code, message) => {
    const before = readdirSync(folder).length;
    const name = make();
    const made = readdirSync(folder).length;
    const outcome = optimum('quantize', name);
    expect(outcome.err).toMatch(message);
    expect(outcome.code).toBe(code);
    expect(outcome.out).toBe('');
    expect(readdirSync(folder)).toHaveLength(made);
    expect(made).toBeGreaterThanOrEqual(before);
  });

  it.skipIf(process.platform === 'win32')('a FIFO, without waiting for it', () => {
    execFileSync('mkfifo', [join(folder, 'fifo.onnx')]);
    const outcome = optimum('quantize', 'fifo.onnx');
    expect([outcome.code, outcome.err]).toEqual([35, expect.stringContaining('is a FIFO')]);
    rmSync(join(folder, 'fifo.onnx'));
  });

  it.each([
    [['quantize', 'model.onnx', '--target', 'cascade-lke'], 2, /did you mean cascade-lake/i],
    [['quantize', 'model.onnx', '--backend', 'xeonn'], 2, /not installed/],
    [['quantize', 'model.onnx', '--recipe', 'fast'], 2, /Recipes: latency/],
    [['quantize', 'model.onnx', '--frobnicate'], 2, /unknown option/],
    [['quantize', 'model.onnx', '-o', 'model.onnx', '--force'], 2, /is the input itself/],
  ])('%j', (args, code, message) => {
    const outcome = optimum(...args);
    expect(outcome.err).toMatch(message);
    expect(outcome.code).toBe(code);
  });

  it('says what failed as JSON too', () => {
    const { out, code } = optimum('quantize', 'missing.onnx', '--json');
    expect(code).toBe(30);
    expect(JSON.parse(out).error).toMatchObject({ code: 'E_IO' });
  });
});

describe('interrupted', () => {
  it('leaves nothing behind', async () => {
    const before = readdirSync(folder).sort();
    for (const delay of [60, 150, 300, 500]) {
      const child = spawn('node', [program, 'quantize', 'model.onnx', '-o', 'interrupted.onnx', '--quiet'], {
        cwd: folder,
      });
      const timer = setTimeout(() => child.kill('SIGINT'), delay);
      const code = await new Promise<number | null>((done) => child.on('exit', done));
      clearTimeout(timer);
      rmSync(join(folder, 'interrupted.onnx'), { force: true });
      // Before the program has set up its handler, the signal itself ends it.
      expect([0, 130, null]).toContain(code);
      expect(readdirSync(folder).sort()).toEqual(before);
    }
  });
});

describe('the other commands', () => {
  it('inspect tells what is in a model and what could be done with it', () => {
    const { sessions } = JSON.parse(optimum('inspect', 'model.onnx', '--json').out);
    expect(sessions[0]).toMatchObject({ graphs: 1, quantized: [], symbols: expect.arrayContaining(['batch']) });
    expect(sessions[0].potential.rows).toContain('2 of 2 Gemm can be integer');
    expect(optimum('inspect', 'model.onnx').out).toContain('weights');
  });

  it('backends lists targets without running code', () => {
    const { backends } = JSON.parse(optimum('backends', '--json').out);
    expect(backends.map((backend: { id: string }) => backend.id).sort()).toEqual(['cpu', 'intel-xeon']);
  });

  it('doctor finds the runtime', () => {
    const { findings } = JSON.parse(optimum('doctor', '--json').out);
    expect(findings).toContainEqual(expect.objectContaining({ what: 'runtime', status: 'ok' }));
  });
});
