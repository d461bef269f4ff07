import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import * as modules from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOnnxRuntime } from './runtime.ts';

const folder = mkdtempSync(join(tmpdir(), 'optimum-locate-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A project that has its own onnxruntime-node, of which only the manifest and empty files are there. */
function project(
  name: string,
  manifest: string,
  binaries: readonly string[] = [`${process.platform}/${process.arch}`],
) {
  const root = join(folder, name, 'node_modules/onnxruntime-node');
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, 'package.json'), manifest);
  writeFileSync(join(root, 'index.js'), 'throw new Error("a library that does not load");');
  for (const binary of binaries) {
    mkdirSync(join(root, 'bin/napi-v6', binary), { recursive: true });
    writeFileSync(join(root, 'bin/napi-v6', binary, 'onnxruntime_binding.node'), '');
  }
  return join(folder, name);
}

const modulesPath = process.env.NODE_PATH ?? '';

function usePath(path: string): void {
  process.env.NODE_PATH = path;
  (modules.Module as unknown as { _initPaths(): void })._initPaths();
}

const manifest = (version: string): string => JSON.stringify({ name: 'onnxruntime-node', version, main: 'index.js' });

describe('finding onnxruntime-node', () => {
  it('takes the one of the project before the one beside this package', async () => {
    const path = project('own', manifest('1.27.3'));
    const { status } = createOnnxRuntime();
    expect(await status(path)).toMatchObject({ status: 'found', version: '1.27.3' });
    expect(await status(join(path, 'src/deep'))).toMatchObject({ status: 'found', version: '1.27.3' });
    expect(await status(join(folder, 'nothing here'))).toMatchObject({ status: 'found', version: '1.30.0' });
  });

  it.each([
    ['too old', manifest('1.23.2'), undefined, /1\.23\.2 .* is not supported \(1\.24 or a later 1\.x is\)/],
    ['of another major', manifest('2.0.0'), undefined, /2\.0\.0 .* is not supported/],
    ['without a version', '{"name": "onnxruntime-node"}', undefined, /is broken/],
    ['without a binary for this machine', manifest('1.30.0'), ['amiga/m68k'], /has no binary for/],
  ])('%s is absent, with what to do', async (name, text, binaries, reason) => {
    const path = project(name, text, binaries);
    const runtime = createOnnxRuntime({ from: path });
    expect(await runtime.status()).toMatchObject({
      status: 'absent',
      reason: expect.stringMatching(reason),
      hint: expect.stringContaining('npm install onnxruntime-node@1.30.0 --ignore-scripts'),
    });
    await expect(runtime.createSession({ bytes: new Uint8Array() })).rejects.toMatchObject({
      code: 'E_BACKEND_MISSING',
      exitCode: 40,
      message: expect.stringMatching(reason),
    });
  });

  it('a library that does not load is incompatible, not a bad model', async () => {
    const runtime = createOnnxRuntime({ from: project('broken', manifest('1.30.0')) });
    await expect(runtime.createSession({ bytes: new Uint8Array() })).rejects.toMatchObject({
      code: 'E_BACKEND_INCOMPATIBLE',
      exitCode: 41,
      message: expect.stringContaining('a library that does not load'),
    });
  });
});

describe('installed where nothing provides it', () => {
  let locate: typeof import('./locate.ts').locateRuntime;

  beforeAll(async () => {
    // A copy of the module, outside of this workspace.
    cpSync(join(import.meta.dirname, 'locate.ts'), join(folder, 'alone/locate.ts'), { recursive: true });
    locate = ((await import(join(folder, 'alone/locate.ts'))) as typeof import('./locate.ts')).locateRuntime;
  });

  it('is absent with the install command, or found beside the program that runs', () => {
    const [, program] = process.argv;
    try {
      // Programs that package managers start have a path of packages in their environment.
      usePath('');
      process.argv[1] = join(folder, 'alone/program.js');
      expect(locate(folder)).toMatchObject({
        status: 'absent',
        reason: expect.stringContaining(`is not installed for ${folder}`),
        hint: expect.stringContaining('npm install onnxruntime-node@1.30.0 --ignore-scripts'),
      });
      const place = project('global', manifest('1.28.0'));
      mkdirSync(join(place, 'node_modules/@optimum/cli/bin'), { recursive: true });
      process.argv[1] = join(place, 'node_modules/@optimum/cli/bin/optimum.js');
      writeFileSync(process.argv[1], '');
      expect(locate(folder)).toMatchObject({ status: 'found', version: '1.28.0' });
    } finally {
      process.argv[1] = program as string;
      usePath(modulesPath);
    }
  });
});
