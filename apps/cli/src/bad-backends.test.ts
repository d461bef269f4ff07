import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Outcome, optimum } from '../../../tools/testing/cli.ts';
import { root } from '../../../tools/testing/zoo.ts';

// These tests run the built program as a user would; `npm test` builds it first.
const folder = mkdtempSync(join(tmpdir(), 'optimum-bad-backends-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const target = {
  id: 'here',
  name: 'This machine, whatever it is',
  match: [{ architecture: process.arch }],
  features: [],
  specificity: 1000,
  sources: [],
};
const good = `[Symbol.for('optimum.backend')]: true, specVersion: 1, id: 'bad', targets: [${JSON.stringify(target)}],
  recipes: [{ id: 'latency', mode: 'dynamic', weights: 'by-capability', embeddings: 'float', operators: ['MatMul'],
    weightsFrom: 'anywhere', smallestTable: 0, valueInfo: 'drop', onlyIfFaster: false, session: {}, description: '' }],
  runtime: { id: 'fake', capabilities: [{ id: 'product', op: 'MatMul', mode: 'dynamic', activation: 'uint8', weight: 'int8',
      granularity: ['channel'], requires: [[]], kernels: ['MatMulInteger'], exact: 'always', speed: 3, opset: 11, source: '' }], async status() { return { status: 'absent', reason: 'a fake', hint: 'none' }; },
    async createSession() { throw new Error('a fake'); } },`;

let count = 0;

/** A project in which a backend takes this machine for itself, with a model to quantize. */
function project(code: string, manifest: object = {}): (...args: string[]) => Outcome {
  const place = join(folder, String(count++));
  const inside = join(place, 'node_modules/backend-bad');
  mkdirSync(inside, { recursive: true });
  cpSync(join(root, 'examples/reviews-bert-256/onnx/model.onnx'), join(place, 'model.onnx'));
  writeFileSync(join(place, 'package.json'), JSON.stringify({ dependencies: { 'backend-bad': '1' } }));
  const backend = { id: 'bad', spec: 1, entry: './index.js', targets: './targets.json', ...manifest };
  writeFileSync(
    join(inside, 'package.json'),
    JSON.stringify({ name: 'backend-bad', version: '1.0.0', type: 'module', optimum: { backend } }),
  );
  writeFileSync(join(inside, 'targets.json'), JSON.stringify([target]));
  writeFileSync(join(inside, 'index.js'), code);
  return (...args) => optimum(args, { cwd: place });
}

const dryRun = ['quantize', 'model.onnx', '--dry-run', '--json'];

describe.concurrent('a bad backend never takes the program down', () => {
  it.each([
    ['throws', 'throw new Error("no device");', 'no device'],
    ['ends the program', 'process.exit(0);', 'it calls process.exit'],
    ['lies about its targets', `export default { ${good} targets: [] };`, 'has the targets none in its code'],
    [
      'fails while it plans',
      `export default { ${good} adjustPlan() { throw new Error('oh'); } };`,
      'fails (oh) in adjustPlan',
    ],
  ])('%s', (_what, code, message) => {
    const run = project(code);
    const failed = run(...dryRun);
    expect(failed.code).toBe(41);
    expect(JSON.parse(failed.out).error).toMatchObject({
      code: 'E_BACKEND_INCOMPATIBLE',
      message: expect.stringContaining(message),
      hint: expect.stringContaining('--backend'),
    });
    // The remedy works, and so does what needs no code of it.
    expect(run(...dryRun, '--backend', 'cpu').code).toBe(0);
    const listed = run('backends', '--json');
    expect(JSON.parse(listed.out).backends.map(({ id }: { id: string }) => id)).toEqual(
      expect.arrayContaining(['bad', 'cpu']),
    );
    const doctor = JSON.parse(run('doctor', '--json').out);
    expect(doctor.findings.map(({ what }: { what: string }) => what)).toEqual(
      expect.arrayContaining(['cpu', 'target']),
    );
  });

  it('speaks another contract: it is passed over and listed with the reason', () => {
    const run = project('throw new Error("code of a backend ran");', { spec: 2 });
    expect(run(...dryRun).code).toBe(0);
    expect(run('backends').out).toMatch(
      /bad {2}backend-bad 1\.0\.0 {2}.*written for contract 2, this version speaks 1/,
    );
    const named = run(...dryRun, '--backend', 'bad');
    expect([named.code, named.err]).toEqual([41, expect.stringContaining('npm install backend-bad@latest')]);
  });

  it('floods: the result on standard output stays clean, and it ends although a timer runs on', () => {
    const flood = `const line = 'x'.repeat(99);
      for (let i = 0; i < 5000; i++) console.log(line);
      setInterval(() => console.log('and on'), 1);
      export default { ${good} adjustPlan(plan) { console.log('planning'); return plan; } };`;
    const { code, out, err } = project(flood)(...dryRun);
    expect([code, JSON.parse(out).target]).toEqual([0, 'here']);
    expect(err).toContain('backend bad prints more');
    expect(err.length).toBeLessThan(20_000);
  });

  it('finds an error in a model: it is told as it is, and a warning is a note of the report', () => {
    const finds = (severity: string) =>
      project(`export default { ${good}
        validate: () => [{ severity: '${severity}', rule: 'r', message: 'too wide', at: '/MatMul' }] };`);
    const failed = finds('error')(...dryRun);
    expect([failed.code, failed.err]).toEqual([22, expect.stringContaining('too wide (/MatMul)')]);
    const { code, out } = finds('warning')('quantize', 'model.onnx', '--no-verify', '--json');
    expect([code, JSON.parse(out).sessions[0].notes]).toEqual([0, expect.arrayContaining(['bad: too wide (/MatMul)'])]);
  });
});
