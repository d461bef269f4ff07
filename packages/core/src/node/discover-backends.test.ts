import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { discoverBackends, type InstalledBackend } from './discover-backends.ts';

const base = realpathSync(mkdtempSync(join(tmpdir(), 'optimum-discover-')));
let folder = base;
let count = 0;
beforeEach(() => {
  folder = join(base, String(count++));
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

const write = (path: string, content: unknown): void => {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
};

const row = {
  id: 'one',
  name: 'One',
  match: [{ architecture: 'x64' }],
  features: ['avx2'],
  specificity: 1,
  sources: [],
};

/** Installs a backend whose code fails as soon as it runs. */
function backend(path: string, name: string, id: string, manifest: object = {}, targets: unknown = [row]): void {
  const entry = { id, spec: 1, entry: './index.js', targets: './targets.json', ...manifest };
  write(`${path}/node_modules/${name}/package.json`, { name, version: '1.0.0', optimum: { backend: entry } });
  write(`${path}/node_modules/${name}/index.js`, 'throw new Error("code of a backend ran");');
  write(`${path}/node_modules/${name}/targets.json`, targets);
}

const found = (project: string, program?: string): InstalledBackend[] =>
  discoverBackends({ projectFolder: join(folder, project), ...(program && { programFolder: join(folder, program) }) });
const ids = (project: string, program?: string): string[] => found(project, program).map(({ id }) => id);

describe('backends are found', () => {
  it('among the direct dependencies of every kind, from any folder of the project, without running their code', () => {
    write('app/package.json', {
      dependencies: { a: '1' },
      devDependencies: { b: '1' },
      optionalDependencies: { '@x/c': '1', gone: '1' },
    });
    for (const name of ['a', 'b', '@x/c']) backend('app', name, `id-${name}`);
    mkdirSync(join(folder, 'app/src/deep'), { recursive: true });
    expect(ids('app/src/deep').sort()).toEqual(['id-@x/c', 'id-a', 'id-b']);
    expect(found('app')[0]).toMatchObject({ package: 'a', version: '1.0.0', targets: [row] });
  });

  it('not because they lie in node_modules: lookalikes and dependencies of dependencies are left alone', () => {
    write('app/package.json', { dependencies: { a: '1' } });
    backend('app', 'a', 'a');
    for (const name of ['optimum-backend-cpu', '@0ptimum/backend-cpu', 'aa']) backend('app', name, 'cpu');
    backend('app/node_modules/a', 'inner', 'inner');
    expect(ids('app')).toEqual(['a']);
  });

  it('through the workspace root, by pnpm and by npm', () => {
    write('pnpm/pnpm-workspace.yaml', 'packages: []');
    write('npm/package.json', { workspaces: ['apps/*'], devDependencies: { root: '1' } });
    write('pnpm/package.json', { devDependencies: { root: '1' } });
    for (const root of ['npm', 'pnpm']) {
      write(`${root}/apps/one/package.json`, { dependencies: { own: '1' } });
      backend(root, 'root', 'root');
      backend(root, 'own', 'own');
      expect(ids(`${root}/apps/one`)).toEqual(['own', 'root']);
    }
  });

  it('beside a program that npm installed globally', () => {
    backend('lib', '@optimum/backend-cpu', 'cpu');
    backend('lib', '@optimum/other', 'other');
    backend('lib', 'backend-stranger', 'stranger');
    write('lib/node_modules/@optimum/cli/package.json', { name: '@optimum/cli' });
    mkdirSync(join(folder, 'empty'));
    expect(ids('empty', 'lib/node_modules/@optimum/cli')).toEqual(['cpu']);
  });

  it('in the package into which npx or pnpm installed the program', () => {
    write('global/package.json', { dependencies: { '@optimum/cli': '1', partner: '1' } });
    backend('global', 'partner', 'partner');
    write('global/.pnpm/cli@1/node_modules/@optimum/cli/package.json', { name: '@optimum/cli' });
    mkdirSync(join(folder, 'global/node_modules/@optimum'), { recursive: true });
    symlinkSync(
      join(folder, 'global/.pnpm/cli@1/node_modules/@optimum/cli'),
      join(folder, 'global/node_modules/@optimum/cli'),
    );
    mkdirSync(join(folder, 'empty'));
    expect(ids('empty', 'global/node_modules/@optimum/cli')).toEqual(['partner']);
  });

  it('once: the project comes before the program', () => {
    write('app/package.json', { dependencies: { a: '1' } });
    backend('app', 'a', 'same');
    write('cli/package.json', { name: 'cli', dependencies: { b: '1' } });
    backend('cli', 'b', 'same');
    expect(found('app', 'cli').map((one) => one.package)).toEqual(['a']);
  });

  it('nowhere, without complaint', () => {
    write('app/package.json', '{ not JSON');
    expect(ids('app')).toEqual([]);
    write('null/package.json', 'null');
    expect(ids('null')).toEqual([]);
    expect(ids('no/such/folder')).toEqual([]);
  });
});

describe('a backend that cannot be used is listed with the reason', () => {
  it.each<[string, object, unknown, RegExp]>([
    ['a newer contract', { spec: 2 }, [row], /written for contract 2, this version speaks 1/],
    ['no entry', { entry: undefined }, [row], /no "entry"/],
    ['an entry outside', { entry: '../other/index.js' }, [row], /"entry" is outside/],
    ['an absolute target file', { targets: '/etc/hostname' }, [row], /"targets" is outside/],
    ['a missing target file', { targets: './none.json' }, [row], /none\.json cannot be read/],
    ['a target file that is no JSON', {}, '[{', /targets\.json cannot be read/],
    ['no list', {}, { row }, /not a list/],
    ['a null target', {}, [null], /target 0 of its file has no id/],
    ['a target twice', {}, [row, row], /one is in its file twice/],
    ['an unknown feature', {}, [{ ...row, features: ['avx9'] }], /target one has the unknown feature "avx9"/],
    ['no specificity', {}, [{ ...row, specificity: 'high' }], /no specificity/],
    ['flags that are no list', {}, [{ ...row, match: [{ flags: 'avx2' }] }], /wrong "flags"/],
    ['a misspelt rule', {}, [{ ...row, match: [{ flag: ['avx2'] }] }], /unknown field "flag"/],
    [
      'a rule named __proto__',
      {},
      `[${JSON.stringify(row).replace('"architecture"', '"__proto__"')}]`,
      /unknown field "__proto__"/,
    ],
  ])('%s', (_name, manifest, targets, problem) => {
    write('app/package.json', { dependencies: { a: '1' } });
    backend('app', 'a', 'a', manifest, targets);
    expect(found('app')).toMatchObject([{ id: 'a', targets: [], problem: expect.stringMatching(problem) }]);
  });

  it('and packages without a manifest are no backends', () => {
    write('app/package.json', { dependencies: { a: '1', b: '1', c: '1' } });
    write('app/node_modules/a/package.json', { name: 'a', optimum: 'yes' });
    write('app/node_modules/b/package.json', { name: 'b', optimum: { backend: { id: 7 } } });
    write('app/node_modules/c/package.json', '');
    expect(ids('app')).toEqual([]);
  });
});
