import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addNode, type Graph, Model, type Value } from '../../../packages/core/src/ir/index.ts';
import { saveModel } from '../../../packages/core/src/node/save-model.ts';
import { eventually, install, type Outcome, optimum, processesWith, startOptimum } from '../../../tools/testing/cli.ts';
import { snapshot, tinyModel, writeTiny, writeTinyFolder } from '../../../tools/testing/tiny-models.ts';
import { root as checkout } from '../../../tools/testing/zoo.ts';

// These tests run the built program; `npm test` builds it first. One case for each exit code that a user can meet.
const root = realpathSync(mkdtempSync(join(tmpdir(), 'optimum-codes-')));
const onLinux = process.platform === 'linux';
afterAll(() => rmSync(root, { recursive: true, force: true }));
beforeAll(() => writeTiny(join(root, 'model.onnx')));

const run = (...args: readonly string[]): Outcome => optimum(args, { cwd: root });
const write = (name: string, content: string | Uint8Array): void => writeFileSync(join(root, name), content);

/** A failure leaves everything as it was, says one thing on standard error, and the same as JSON. */
function fails(args: readonly string[], code: number, name: string, message: RegExp): void {
  const before = snapshot(root);
  const outcome = run(...args, '--json');
  expect(outcome).toMatchObject({ code, err: expect.stringMatching(`^error ${name}: `) });
  expect(outcome.err).toMatch(message);
  const { error } = JSON.parse(outcome.out);
  expect([error.code, outcome.err.includes(error.message)]).toEqual([name, true]);
  expect(snapshot(root)).toEqual(before);
}

async function modelWith(name: string, build: (graph: Graph, value: Value) => Value): Promise<void> {
  const { graph } = tinyModel({ layers: 1 });
  const model = new Model(graph);
  model.irVersion = 8;
  model.requireOpset('', 17);
  graph.addOutput(build(graph, graph.outputs[0] as Value));
  await saveModel(model, join(root, name), { force: true });
}

describe('exit codes', () => {
  it('2: usage', () => {
    fails(['quantize', 'model.onnx', '--target', 'no-such'], 2, 'E_USAGE', /No installed backend has a target/);
    fails(['quantize', 'model.onnx', '-o', 'model.onnx', '--force'], 2, 'E_USAGE', /is the input itself/);
    const json = run('quantize', 'model.onnx', '--frobnicate', '--json');
    expect(json).toMatchObject({ code: 2, err: expect.stringContaining('unknown option') });
    expect(JSON.parse(json.out).error).toMatchObject({ code: 'E_USAGE', message: "unknown option '--frobnicate'" });
    expect(run('quantize', 'missing.onnx')).toMatchObject({ code: 30, out: '' });
    expect(run('quantize')).toMatchObject({ code: 2, out: '' });
    expect(run('quantise')).toMatchObject({ code: 2, out: '', err: expect.stringContaining('quantize') });
    expect(run('quantize', 'model.onnx', '--threads', '0').code).toBe(2);
    expect(run().code).toBe(2);
  });

  it('20: configuration', async () => {
    write('plan.json', '{');
    fails(['quantize', 'model.onnx', '--plan', 'plan.json'], 20, 'E_CONFIG_SYNTAX', /plan\.json/);
    write('plan.json', '{"version": 1}');
    fails(['quantize', 'model.onnx', '--plan', 'plan.json'], 20, 'E_CONFIG_SCHEMA', /plan\.json/);
    await writeTinyFolder(join(root, 'folder'));
    write('folder/config.json', '{"a": 1,}');
    fails(['quantize', 'folder'], 20, 'E_CONFIG_SYNTAX', /folder\/config\.json is not JSON/);
    write('folder/config.json', `{"a": "${'x'.repeat(10e6)}"}`);
    fails(['quantize', 'folder'], 20, 'E_CONFIG_LIMIT', /folder\/config\.json has \d+ characters/);
    rmSync(join(root, 'folder'), { recursive: true });
  });

  it('21: no model', () => {
    write('cut.onnx', readFileSync(join(root, 'model.onnx')).subarray(0, 1000));
    fails(['quantize', 'cut.onnx'], 21, 'E_MODEL_WIRE', /cut\.onnx/);
    write('empty.onnx', '');
    fails(['inspect', 'empty.onnx'], 21, 'E_MODEL_NOT_ONNX', /empty\.onnx/);
  });

  it('22: nothing to do, or nothing gained', async () => {
    await saveModel(tinyModel({ layers: 0 }), join(root, 'weightless.onnx'));
    fails(['quantize', 'weightless.onnx'], 22, 'E_NOTHING_TO_QUANTIZE', /weightless\.onnx/);
    expect(run('quantize', 'model.onnx', '-o', 'once.onnx', '--no-verify', '--quiet').code).toBe(0);
    fails(['quantize', 'once.onnx'], 22, 'E_ALREADY_QUANTIZED', /once\.onnx/);
  });

  it('23: limits', () => {
    // Five bytes for each of 800 000 nodes, and close to a kilobyte of memory.
    const nodes = Buffer.alloc(4_000_000, Uint8Array.of(0x0a, 3, 0x22, 1, 0x41));
    const opset = Uint8Array.of(0x42, 2, 0x10, 17);
    // 4 000 000 as a varint.
    const graph = Uint8Array.of(0x3a, 0x80, 0x92, 0xf4, 0x01);
    write('bomb.onnx', Buffer.concat([Uint8Array.of(0x08, 8), opset, graph, nodes]));
    fails(['quantize', 'bomb.onnx'], 23, 'E_LIMIT_OBJECTS', /bomb\.onnx/);
    rmSync(join(root, 'bomb.onnx'));
  });

  it('24: data', () => {
    write('data.jsonl', '{"x": [[1, 2], [3]]}\n');
    fails(['quantize', 'model.onnx', '--data', 'data.jsonl'], 24, 'E_DATA_INVALID', /data\.jsonl:1: "x" is ragged/);
    write('data.jsonl', '\n');
    fails(['quantize', 'model.onnx', '--data', 'data.jsonl'], 24, 'E_DATA_INVALID', /holds no sample/);
  });

  it('25: not faster, published all the same', () => {
    const args = ['quantize', 'model.onnx', '-o', 'slow.onnx', '--require-faster', '--force'];
    const outcome = run(...args, '--json');
    expect(outcome).toMatchObject({ code: 25, err: expect.stringContaining('E_GOAL_NOT_MET: Not shown to be faster') });
    const document = JSON.parse(outcome.out);
    expect(document).toMatchObject({
      published: true,
      output: join(root, 'slow.onnx'),
      error: { code: 'E_GOAL_NOT_MET' },
    });
    expect(readFileSync(join(root, 'slow.onnx')).byteLength).toBeGreaterThan(1000);
    expect(run(...args, '--quiet')).toMatchObject({ code: 25, out: '' });
  });

  it('26: weights that are no numbers', async () => {
    await writeTiny(join(root, 'nan.onnx'), { poison: Number.NaN });
    await writeTiny(join(root, 'inf.onnx'), { poison: Number.NEGATIVE_INFINITY });
    fails(['quantize', 'nan.onnx'], 26, 'E_NUMERIC_NAN', /nan\.onnx: .*"layer\.0\.weight".* \[0, 0\]/);
    fails(['quantize', 'inf.onnx'], 26, 'E_NUMERIC_INF', /inf\.onnx: .*"layer\.0\.weight"/);
    const { code } = run('quantize', 'nan.onnx', '--exclude', 'layer.0/MatMul', '--no-verify', '--quiet');
    expect(code).toBe(0);
  });

  it('27: the runtime does not take it', async () => {
    await modelWith(
      'odd.onnx',
      (graph, value) => addNode(graph, 'Frobnicate', { inputs: [value] }).outputs[0] as Value,
    );
    fails(['quantize', 'odd.onnx'], 27, 'E_VERIFY_LOAD', /odd\.onnx.*Frobnicate/);
  });

  it('30: files, and what exists', () => {
    fails(['quantize', 'missing.onnx'], 30, 'E_IO', /missing\.onnx: there is no such file/);
    fails(['quantize', 'model.onnx', '-o', 'model.onnx/out.onnx'], 30, 'E_IO', /model\.onnx/);
    fails(['quantize', 'model.onnx', '--data', 'missing.jsonl'], 30, 'E_IO', /missing\.jsonl/);
    fails(['quantize', 'model.onnx', '--plan', 'missing.json'], 30, 'E_IO', /missing\.json/);
    write('there.onnx', 'x');
    fails(['quantize', 'model.onnx', '-o', 'there.onnx'], 30, 'E_OUTPUT_EXISTS', /there\.onnx[\s\S]*--force/);
  });

  it.skipIf(!onLinux || process.getuid?.() !== 0)('31: a full disk', () => {
    const full = join(root, 'full');
    mkdirSync(full);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'tmpfs', full], { stdio: 'ignore' });
    } catch {
      console.warn('skipped: a full disk needs the right to mount one');
      return;
    }
    try {
      fails(
        ['quantize', 'model.onnx', '-o', 'full/a.onnx'],
        31,
        'E_NO_SPACE',
        /full\/a\.onnx needs \d+ bytes, but the disk has/,
      );
    } finally {
      execFileSync('umount', [full]);
    }
  });

  it.skipIf(!onLinux)('35: a special file, and data from outside', async () => {
    execFileSync('mkfifo', [join(root, 'fifo.onnx')]);
    expect(run('inspect', 'fifo.onnx')).toMatchObject({ code: 35, err: expect.stringContaining('E_PATH_SPECIAL') });
    rmSync(join(root, 'fifo.onnx'));
  });

  it.skipIf(!onLinux)('42: the runtime crashes', async () => {
    const mark = `${process.pid}-crash`;
    const started = startOptimum(['quantize', 'model.onnx', '-o', 'crash.onnx'], {
      cwd: root,
      env: { OPTIMUM_TEST_MARK: mark },
    });
    const session = () =>
      processesWith('OPTIMUM_TEST_MARK', mark).find(({ command }) => command.includes('session-process'));
    await eventually(() => session() !== undefined, 10_000);
    process.kill(session()?.pid as number, 'SIGSEGV');
    const outcome = await started.ended;
    expect(outcome).toMatchObject({ code: 42, err: expect.stringMatching(/E_BACKEND_CRASHED: .*SIGSEGV/) });
    expect(readdirSync(root).filter((name) => name.includes('crash.onnx'))).toEqual([]);
  });
});

describe('an installation of its own', () => {
  const library = realpathSync(join(checkout, 'packages/runtime-onnxruntime/node_modules/onnxruntime-node'));
  const started = (folder: string) => ({ cwd: root, program: install(join(root, folder), packages[folder] ?? []) });
  const packages: Readonly<Record<string, readonly string[]>> = {
    none: [],
    bare: ['backend-cpu', 'runtime-onnxruntime'],
    broken: ['backend-cpu', 'runtime-onnxruntime'],
    whole: ['backend-cpu', 'runtime-onnxruntime'],
  };

  it('without a backend: 40, with the command that helps', () => {
    const options = started('none');
    const outcome = optimum(['quantize', 'model.onnx', '-o', 'n.onnx'], options);
    expect(outcome).toMatchObject({
      code: 40,
      err: expect.stringMatching(/E_BACKEND_MISSING[\s\S]*npm install @optimum\/backend-cpu/),
    });
    const doctor = optimum(['doctor'], options);
    expect(doctor).toMatchObject({
      code: 40,
      out: expect.stringMatching(/fix +backend +none is installed\. npm install/),
    });
    expect(optimum(['backends'], options).out).toContain('npm install @optimum/backend-cpu');
  });

  it('without a runtime: made, and called unverified', () => {
    const options = started('bare');
    const outcome = optimum(['quantize', 'model.onnx', '-o', 'bare.onnx'], options);
    expect(outcome.err).toBe('');
    expect(outcome.code).toBe(0);
    expect(outcome.out).toMatch(/runtime +none found/);
    expect(outcome.out).toMatch(
      /proof +unverified: onnxruntime-node is not installed for .*; npm install onnxruntime-node/,
    );
    const doctor = optimum(['doctor', '--json'], options);
    expect(doctor.code).toBe(40);
    expect(JSON.parse(doctor.out).findings).toContainEqual(
      expect.objectContaining({
        what: 'runtime',
        status: 'problem',
        fix: expect.stringContaining('npm install onnxruntime-node'),
      }),
    );
    const goal = optimum(['quantize', 'model.onnx', '-o', 'bare.onnx', '--force', '--require-faster'], options);
    expect(goal.code).toBe(25);
  });

  it.each([
    ['static', 'quantize', '--mode', 'static'],
    ['SmoothQuant', 'quantize', '--smooth-quant'],
    ['calibrate', 'calibrate'],
  ])('without a runtime, for what needs one: 40, with the command that helps: %s', (_, command, ...args) => {
    const options = started('bare');
    const outcome = optimum([command, 'model.onnx', '-o', 'needy.onnx', ...args], options);
    expect(outcome).toMatchObject({
      code: 40,
      out: '',
      err: expect.stringMatching(/^error E_BACKEND_MISSING: [\s\S]*npm install onnxruntime-node/),
    });
    expect(readdirSync(root).filter((name) => name.includes('needy'))).toEqual([]);
  });

  it('with a runtime that does not load: 41', () => {
    const fake = join(root, 'fake-runtime');
    mkdirSync(join(fake, 'bin/napi-v6', process.platform, process.arch), { recursive: true });
    writeFileSync(join(fake, 'bin/napi-v6', process.platform, process.arch, 'onnxruntime_binding.node'), '');
    writeFileSync(join(fake, 'package.json'), '{"name": "onnxruntime-node", "version": "1.30.0", "main": "index.js"}');
    writeFileSync(join(fake, 'index.js'), 'throw new Error("wrong ELF class");');
    const program = install(join(root, 'broken'), packages.broken ?? [], { 'onnxruntime-node': fake });
    const outcome = optimum(['quantize', 'model.onnx', '-o', 'broken.onnx'], { cwd: root, program });
    expect(outcome).toMatchObject({
      code: 41,
      err: expect.stringMatching(/E_BACKEND_INCOMPATIBLE: .*wrong ELF class/),
    });
  });

  it('with everything beside the program, as npx and global installs have it: verified', () => {
    const program = install(join(root, 'whole'), packages.whole ?? [], { 'onnxruntime-node': library });
    const outcome = optimum(['quantize', 'model.onnx', '-o', 'whole.onnx', '--json'], { cwd: root, program });
    expect(outcome.code).toBe(0);
    expect(JSON.parse(outcome.out).sessions[0].verification.status).toBe('verified');
    expect(optimum(['doctor'], { cwd: root, program }).code).toBe(0);
  });

  it('with a backend that is at fault: 41', () => {
    const program = install(join(root, 'fault'), packages.bare ?? [], {});
    const file = join(root, 'fault/node_modules/@optimum/backend-cpu/dist/index.js');
    writeFileSync(
      file,
      `${readFileSync(file, 'utf8').replace(/export\s*\{[^}]*\};?\s*$/m, '')}
      import { createRequire as requireFrom } from 'node:module';
      import { defineBackend as define } from '@optimum/core';
      import { cpuRecipes as recipes, onnxruntime as runtime } from '@optimum/runtime-onnxruntime';
      const targets = requireFrom(import.meta.url)('../targets.json');
      export default define({ specVersion: 1, id: 'cpu', runtime, targets, recipes, adjustPlan() { throw new TypeError('oops'); } });`,
    );
    const outcome = optimum(['quantize', 'model.onnx', '-o', 'fault.onnx'], { cwd: root, program });
    expect(outcome).toMatchObject({
      code: 41,
      err: expect.stringMatching(/E_BACKEND_INCOMPATIBLE: .*Backend cpu .* fails \(oops\) in adjustPlan/),
    });
    expect(readdirSync(root).filter((name) => name.includes('fault.onnx'))).toEqual([]);
  });
});
