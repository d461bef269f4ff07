// The packages that are measured: the build, as users get it. Under vitest the sources, so that no test depends on a
// stale build.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isTest } from './settings.mjs';

/** Root of the checkout. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');

/** The program that users start. */
export const program = join(root, 'apps/cli/bin/optimum.js');

/** Folder from which installed backends and the runtime are found, as the program itself finds them. */
export const programFolder = join(root, 'apps/cli');

async function load(folder, entry) {
  const path = join(root, 'packages', folder, isTest ? `src/${entry}.ts` : `dist/${entry}.js`);
  if (!existsSync(path)) throw new Error(`packages/${folder} is not built yet: npm start`);
  return import(/* @vite-ignore */ pathToFileURL(path).href);
}

export const core = await load('core', 'index');
export const coreNode = await load('core', 'node/index');
export const { onnxruntime } = await load('runtime-onnxruntime', 'index');
