import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { features, featuresOf, matchTarget, type TargetSpec } from '../../packages/core/src/index.ts';
import { checkTargets, parseCpuInfo } from '../../packages/core/src/node/index.ts';
import { type Outcome, optimum } from '../testing/cli.ts';
import { snapshot } from '../testing/tiny-models.ts';
import { root } from '../testing/zoo.ts';
// @ts-expect-error: a script without types
import { cpuInfoOf, featuresOf as knownFeatures } from './lib/features.mjs';

// A new package is linked to the built packages of this checkout; `npm test` builds them first.
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'optimum-create-')));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(command: string, args: readonly string[], cwd = folder): Outcome {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: 280_000 });
  return { code: status, out: stdout, err: stderr };
}

const create = (...args: readonly string[]): Outcome => run('node', [join(root, 'tools/create-backend'), ...args]);

describe('a new package', () => {
  it('passes its tests at once, and is found and used', () => {
    const made = create('acme', '--vendor', 'Genuine "Acme"', '--features', 'avx2,avx512,avx512-vnni');
    expect([made.code, made.err]).toEqual([0, '']);
    const place = join(folder, 'backend-acme');
    const tested = run('npm', ['test'], place);
    expect(tested.code, tested.out + tested.err).toBe(0);
    expect(tested.out).toMatch(/backend acme: \d+ claims: \d+ executed/);

    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(place, join(folder, 'node_modules/backend-acme'), 'junction');
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ dependencies: { 'backend-acme': '*' } }));
    const model = join(root, 'examples/reviews-bert-256/onnx/model.onnx');
    const planned = optimum(['quantize', model, '--target', 'acme-one', '--dry-run', '--json'], { cwd: folder });
    expect([planned.code, JSON.parse(planned.out).target]).toEqual([0, 'acme-one']);
  }, 300_000);

  it.each([
    ['x64', 'avx2,amx-int8,avx512-fp16', 'GenuineAcme'],
    ['arm64', 'neon,i8mm,sve2', 'ARM'],
    ['arm64', 'neon', '0x77'],
  ])('has rows for %s with %s of %s, and a machine that they recognise', (architecture, names, vendor) => {
    const place = join(folder, `rows-${names}`);
    const { code } = create(
      'beta',
      '--vendor',
      vendor,
      ...['--architecture', architecture, '--features', names, '--dir', place],
    );
    expect(code).toBe(0);
    const targets = JSON.parse(readFileSync(join(place, 'targets.json'), 'utf8')) as TargetSpec[];
    expect(checkTargets(targets)).toBeUndefined();
    const machine = parseCpuInfo(readFileSync(join(place, 'machines/beta-one.cpuinfo'), 'utf8'), architecture, 1);
    expect(matchTarget(targets, machine)).toMatchObject({ id: 'beta-one', features: names.split(',') });
  });

  it('overwrites nothing', () => {
    const place = join(folder, 'there');
    mkdirSync(place);
    writeFileSync(join(place, 'mine.txt'), 'mine');
    const before = snapshot(place);
    const refused = create('gamma', '--vendor', 'Acme', '--dir', place);
    expect([refused.code, refused.err]).toEqual([
      2,
      expect.stringMatching(/is there already, and is not empty.*--dir/),
    ]);
    expect(snapshot(place)).toEqual(before);
  });
});

describe('a mistake is told before anything is written:', () => {
  it.each([
    ['no id', ['--vendor', 'Acme'], /"" is no id/],
    ['an id that is none', ['Acme_1', '--vendor', 'Acme'], /"Acme_1" is no id: small letters/],
    ['no vendor, and nobody to ask', ['delta'], /give --vendor/],
    ['an architecture', ['delta', '--vendor', 'Acme', '--architecture', 'riscv'], /riscv is not one of x64, arm64/],
    ['a feature', ['delta', '--vendor', 'Acme', '--features', 'avx9'], /x64 has no feature "avx9"; it has avx2, /],
    [
      'a feature of another architecture',
      ['delta', '--vendor', 'Acme', '--features', 'i8mm'],
      /x64 has no feature "i8mm"/,
    ],
    ['a name of a package', ['delta', '--vendor', 'Acme', '--package', '../up'], /"\.\.\/up" is no name/],
    ['two names', ['delta', 'epsilon', '--vendor', 'Acme'], /One name is expected, not 2/],
    ['an option', ['delta', '--vender', 'Acme'], /--vender/],
  ])('%s', (_what, args, message) => {
    const { code, err } = create(...args);
    expect([code, err]).toEqual([2, expect.stringMatching(message)]);
    expect(Object.keys(snapshot(folder)).filter((path) => path.includes('delta'))).toEqual([]);
  });
});

describe('the table of features', () => {
  it('is that of core', () => {
    const { x64 = {}, arm64 = {} } = knownFeatures;
    expect([...Object.keys(x64), ...Object.keys(arm64)]).toEqual([...features]);
    for (const [architecture, table] of Object.entries<object>(knownFeatures)) {
      for (const feature of Object.keys(table)) {
        const text = cpuInfoOf({ architecture, vendor: 'ARM', features: [feature] });
        expect(featuresOf(parseCpuInfo(text, architecture, 1))).toContain(feature);
      }
    }
  });
});
