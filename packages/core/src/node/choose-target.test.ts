import { describe, expect, it } from 'vitest';
import type { Backend, Recipe, TargetSpec } from '../backend/index.ts';
import { chooseRecipe, chooseTarget } from './choose-target.ts';
import { recordedFacts } from './cpu-facts-recorded.ts';
import type { InstalledBackend } from './discover-backends.ts';

const spec = (id: string, specificity: number, more: Partial<TargetSpec> = {}): TargetSpec => ({
  id,
  name: id,
  match: [{ architecture: 'x64' }],
  features: [],
  specificity,
  sources: [],
  ...more,
});

const installed = (
  id: string,
  targets: readonly TargetSpec[],
  more: Partial<InstalledBackend> = {},
): InstalledBackend => ({
  id,
  package: `@optimum/backend-${id}`,
  version: '1.2.3',
  folder: '',
  manifest: { id, spec: 1, entry: './index.js', targets: './targets.json' },
  targets,
  ...more,
});

const general = installed('cpu', [
  spec('anything', 0, { match: [], features: ['avx2'], everywhere: true }),
  spec('wide', 20, { features: ['avx512'] }),
  spec('vnni', 30, { features: ['avx512-vnni'] }),
]);
const xeon = installed('xeon', [spec('ice-lake', 100, { match: [{ models: [106] }], features: ['avx512-vnni'] })]);
const hidden = recordedFacts('xeon-ice-lake-vm-without-vnni');
const ice = recordedFacts('xeon-ice-lake-8375c');

const failure = (run: () => unknown): { code: string; message: string; hint: string } => {
  try {
    run();
  } catch (error) {
    return error as { code: string; message: string; hint: string };
  }
  throw new Error('nothing was thrown');
};

describe('chooseTarget', () => {
  it('prefers the most specific target over all backends, whatever their order', () => {
    for (const backends of [
      [general, xeon],
      [xeon, general],
    ])
      expect(chooseTarget(backends, ice)).toMatchObject({
        installed: { id: 'xeon' },
        target: { id: 'ice-lake', backend: 'xeon', isThisMachine: true },
      });
  });

  it('falls to the class that the flags show when a machine hides what its name promises', () => {
    expect(chooseTarget([xeon, general], hidden).target).toMatchObject({ id: 'wide', isThisMachine: true });
  });

  it('takes what is named, and knows that it is not here', () => {
    expect(chooseTarget([general, xeon], hidden, { target: 'ice-lake' }).target).toMatchObject({
      id: 'ice-lake',
      features: ['avx512-vnni'],
      isThisMachine: false,
    });
    expect(chooseTarget([general, xeon], ice, { backend: 'cpu' }).target.id).toBe('vnni');
  });

  it('falls back to the target that is right everywhere: flags that cannot be read, a CPU that nobody knows', () => {
    const windows = { ...ice, vendor: '', family: undefined, model: undefined, flags: [] };
    for (const facts of [windows, recordedFacts('opteron-6136'), { ...windows, architecture: 'riscv64' }])
      expect(chooseTarget([xeon, general], facts).target).toMatchObject({ id: 'anything', isThisMachine: true });
    // It never wins against a target that fits.
    expect(chooseTarget([general], ice).target.id).toBe('vnni');
  });

  it('says what to install when nothing fits', () => {
    expect(failure(() => chooseTarget([], ice))).toMatchObject({
      code: 'E_BACKEND_MISSING',
      hint: expect.stringContaining('npm install @optimum/backend-cpu'),
    });
    expect(failure(() => chooseTarget([xeon], recordedFacts('graviton2')))).toMatchObject({
      code: 'E_BACKEND_MISSING',
      message: expect.stringContaining('arm64'),
      hint: expect.stringContaining('npm install @optimum/backend-cpu'),
    });
  });

  it('suggests the near name of a target and of a backend', () => {
    expect(failure(() => chooseTarget([general, xeon], ice, { target: 'ice-lke' }))).toMatchObject({
      code: 'E_USAGE',
      hint: 'Did you mean ice-lake?',
    });
    expect(failure(() => chooseTarget([general, xeon], ice, { target: 'sapphire' })).hint).toMatch(
      /Known targets: anything, wide.*npm install/,
    );
    expect(failure(() => chooseTarget([general, xeon], ice, { backend: 'xeonn' }))).toMatchObject({
      code: 'E_USAGE',
      hint: 'Did you mean --backend xeon?',
    });
    expect(failure(() => chooseTarget([general], ice, { backend: 'hailo' })).hint).toBe(
      'npm install @optimum/backend-hailo',
    );
    // An empty name is a mistake, not a wish for detection.
    expect(failure(() => chooseTarget([general], ice, { target: '' })).code).toBe('E_USAGE');
  });

  it('works around a broken backend unless it is the one that is wanted', () => {
    const broken = installed('broken', [], { problem: 'it is written for contract 2, this version speaks 1' });
    expect(chooseTarget([broken, general], ice).target.id).toBe('vnni');
    for (const wanted of [{}, { backend: 'broken' }])
      expect(failure(() => chooseTarget([broken], ice, wanted))).toMatchObject({
        code: 'E_BACKEND_INCOMPATIBLE',
        message: expect.stringContaining('contract 2'),
        hint: 'Update it: npm install @optimum/backend-broken@latest',
      });
  });
});

describe('chooseRecipe', () => {
  const recipes = [
    { id: 'latency', mode: 'dynamic' },
    { id: 'compatible', mode: 'dynamic' },
    { id: 'fixed', mode: 'static' },
  ] as Recipe[];
  const backend = { id: 'cpu', recipes } as unknown as Backend;
  const hint = 'Recipes: latency (dynamic), compatible (dynamic), fixed (static)';

  it('takes the first one, or the one that is named', () => {
    expect(chooseRecipe(backend, undefined).id).toBe('latency');
    expect(chooseRecipe(backend, 'compatible').id).toBe('compatible');
    expect(failure(() => chooseRecipe(backend, 'fast'))).toMatchObject({ code: 'E_USAGE', hint });
  });

  it('takes the first one of a mode, and refuses a mode that it lacks or that is not that of the named one', () => {
    expect(chooseRecipe(backend, undefined, 'static').id).toBe('fixed');
    expect(chooseRecipe(backend, 'compatible', 'dynamic').id).toBe('compatible');
    expect(failure(() => chooseRecipe(backend, undefined, 'auto'))).toMatchObject({ code: 'E_USAGE', hint });
    const both = failure(() => chooseRecipe(backend, 'fixed', 'dynamic'));
    expect(both).toMatchObject({ code: 'E_USAGE', message: 'Recipe "fixed" is of mode static, not dynamic.' });
  });
});
