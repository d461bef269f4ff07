import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatBytes, formatMs } from '@optimum/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { optimum, program } from '../../../tools/testing/cli.ts';
import { writeTiny, writeTinyFolder } from '../../../tools/testing/tiny-models.ts';
import { table } from './table.ts';

// What is printed where. `npm test` builds the program first.
const root = realpathSync(mkdtempSync(join(tmpdir(), 'optimum-output-')));
afterAll(() => rmSync(root, { recursive: true, force: true }));
beforeAll(async () => {
  await writeTiny(join(root, 'model.onnx'));
  await writeTinyFolder(join(root, 'folder'), ['encoder_model', 'decoder_model']);
});

const run = (args: readonly string[], env = {}) => optimum(args, { cwd: root, env });
const colour = '\u001b';

describe('standard output', () => {
  it.each([
    [['backends']],
    [['doctor']],
    [['inspect', 'folder']],
    [['quantize', 'folder', '--dry-run']],
    [['quantize', 'folder', '--force', '--no-verify']],
    [['quantize', 'model.onnx', '--force']],
  ])('%j --json is one JSON document, and standard error is empty', (args) => {
    const { out, err, code } = run([...args, '--json'], { FORCE_COLOR: '1' });
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toBeTypeOf('object');
    expect(out.endsWith('}\n')).toBe(true);
    expect(out).not.toContain(colour);
  });

  it('is empty with --quiet', () => {
    expect(run(['quantize', 'folder', '--force', '--no-verify', '--quiet'])).toEqual({ code: 0, out: '', err: '' });
  });

  it('has colours only where they are wanted', () => {
    const args = ['quantize', 'model.onnx', '--dry-run'];
    expect(run(args).out).not.toContain(colour);
    expect(run(args, { CI: 'true' }).out).not.toContain(colour);
    expect(run(args, { FORCE_COLOR: '1' }).out).toContain(colour);
    expect(run(args, { FORCE_COLOR: '1', NO_COLOR: '1' }).out).not.toContain(colour);
    expect(run(['inspect', 'nothing.onnx'], { NO_COLOR: '1' }).err).toMatch(/^error E_IO: /);
  });

  it('tells of each session where it went, and how to load the result', () => {
    const { out } = run(['quantize', 'folder', '--force', '--no-verify']);
    expect(out).toMatch(/^ {2}target {3}.*\n {2}runtime {2}onnxruntime 1\..*\n {2}recipe {3}latency\n/);
    expect(out).toMatch(/\ndecoder_model\n {2}size {5}.* → .*\(\d+ %\)\n {2}proof {4}unverified: switched off\n/);
    expect(out).toMatch(/\nencoder_model\n/);
    expect(out).toContain(`written ${join(root, 'folder-optimized')}`);
    expect(out).toMatch(
      /await pipeline\('feature-extraction', '\.\/folder-optimized', \{ dtype: 'q8', session_options: \{ .* \} \}\)/,
    );
  });
});

describe('help', () => {
  it.each([[['--help']], [['quantize', '--help']], [['--version']]])('%j', (args) => {
    const { code, out, err } = run(args);
    expect([code, err]).toEqual([0, '']);
    expect(out.length).toBeGreaterThan(5);
  });

  it('loads nothing that it does not need', () => {
    const main = readFileSync(join(program, '../../dist/main.js'), 'utf8');
    expect(main).not.toMatch(/^import .*@optimum\/core/m);
    const start = performance.now();
    run(['--help']);
    // A bare Node takes about 40 ms of it; the bound leaves room for busy machines.
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

describe('table', () => {
  it('aligns columns whatever colours they have', () => {
    expect(
      table([
        ['a', 'b', 'c'],
        [`${colour}[32maaa${colour}[39m`, 'b', 'cc'],
      ]),
    ).toBe(`  a    b  c\n  ${colour}[32maaa${colour}[39m  b  cc`);
  });

  it('shows sizes and times', () => {
    expect([0, 999, 1000, 17_117_892, 438e6, 2.5e9].map(formatBytes)).toEqual([
      '0 B',
      '999 B',
      '1.0 kB',
      '17.1 MB',
      '438 MB',
      '2.5 GB',
    ]);
    expect([0.123, 12.34].map(formatMs)).toEqual(['0.12 ms', '12.3 ms']);
  });
});
