import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RuntimeStatus } from '@optimum/core';

const name = 'onnxruntime-node';

/**
 * Finds onnxruntime-node without loading it: for the user's project first, so that its version is the one that counts,
 * then beside this package.
 */
export function locateRuntime(from: string = process.cwd()): RuntimeStatus & { readonly entry?: string } {
  const here = dirname(fileURLToPath(import.meta.url));
  for (const folder of [from, here]) {
    const entry = resolveFrom(folder);
    if (entry) return describe(entry);
  }
  return {
    status: 'absent',
    reason: `${name} is not installed for ${from}`,
    hint: `npm install ${name}@1.30.0 --ignore-scripts (its install script only fetches CUDA files, which a CPU does not need)`,
  };
}

function resolveFrom(folder: string): string | undefined {
  try {
    return createRequire(join(folder, 'index.js')).resolve(name);
  } catch {
    return undefined;
  }
}

function describe(entry: string): RuntimeStatus & { readonly entry?: string } {
  const root = packageRoot(dirname(entry));
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const library = join(root, 'bin/napi-v6', process.platform, process.arch);
  if (existsSync(join(root, 'bin')) && !existsSync(library)) {
    return {
      status: 'absent',
      reason: `${name} ${version} has no binary for ${process.platform} ${process.arch}`,
      hint: 'Its packages hold Linux and Windows on x64 and arm64, and macOS on arm64.',
    };
  }
  return { status: 'found', version, path: root, entry };
}

function packageRoot(folder: string): string {
  const manifest = join(folder, 'package.json');
  const isRoot =
    existsSync(manifest) && (JSON.parse(readFileSync(manifest, 'utf8')) as { name?: string }).name === name;
  return isRoot || folder === dirname(folder) ? folder : packageRoot(dirname(folder));
}
