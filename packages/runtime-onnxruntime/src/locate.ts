import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RuntimeStatus } from '@optimum/core';

export type LocatedRuntime = RuntimeStatus & { readonly entry?: string };

const name = 'onnxruntime-node';
const install = `npm install ${name}@1.30.0 --ignore-scripts`;

/** The versions that the contract was tried with: at least this minor of major 1. */
const lowestMinor = 24;

/**
 * Finds onnxruntime-node without loading it: for the user's project first, so that its version is the one that counts;
 * then beside the program that runs (a global or npx install); then beside this package. Never throws.
 */
export function locateRuntime(from: string = process.cwd()): LocatedRuntime {
  const places = [resolve(from), programFolder(), dirname(fileURLToPath(import.meta.url))];
  for (const folder of places) {
    const entry = folder && resolveFrom(folder);
    if (entry) return describe(entry);
  }
  return {
    status: 'absent',
    reason: `${name} is not installed for ${from}`,
    hint: `${install} (its install script only fetches CUDA files, which a CPU does not need)`,
  };
}

function programFolder(): string | undefined {
  try {
    return process.argv[1] && dirname(realpathSync(process.argv[1]));
  } catch {
    return undefined;
  }
}

function resolveFrom(folder: string): string | undefined {
  try {
    return createRequire(join(folder, 'index.js')).resolve(name);
  } catch {
    return undefined;
  }
}

function describe(entry: string): LocatedRuntime {
  const root = packageRoot(dirname(entry));
  const version = manifestOf(root)?.version;
  if (typeof version !== 'string')
    return absent(`${name} in ${root} is broken: its package.json has no version`, install);
  const [major, minor] = version.split('.').map(Number);
  if (major !== 1 || (minor ?? 0) < lowestMinor)
    return absent(`${name} ${version} in ${root} is not supported (1.${lowestMinor} or a later 1.x is)`, install);
  const binary = join(root, 'bin/napi-v6', process.platform, process.arch, 'onnxruntime_binding.node');
  if (existsSync(join(root, 'bin')) && !existsSync(binary)) {
    return absent(
      `${name} ${version} has no binary for ${process.platform} ${process.arch}`,
      `Its packages hold Linux and Windows on x64 and arm64, and macOS on arm64. If yours is one of them, install it again: ${install}`,
    );
  }
  if (isMusl()) {
    return absent(
      `${name} ${version} needs glibc, and this system has musl (Alpine)`,
      'Use a system with glibc; in a container, an image such as node:22-slim.',
    );
  }
  return { status: 'found', version, path: root, entry };
}

const absent = (reason: string, hint: string): LocatedRuntime => ({ status: 'absent', reason, hint });

/** The libc is known to the diagnostic report only, which takes some milliseconds: asked for once. */
let musl: boolean | undefined;

function isMusl(): boolean {
  if (process.platform !== 'linux') return false;
  if (musl === undefined) {
    // Without this it would look up the names of all network peers.
    Object.assign(process.report, { excludeNetwork: true });
    const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
    musl = header !== undefined && header.glibcVersionRuntime === undefined;
  }
  return musl;
}

function packageRoot(folder: string): string {
  const isRoot = manifestOf(folder)?.name === name;
  return isRoot || folder === dirname(folder) ? folder : packageRoot(dirname(folder));
}

function manifestOf(folder: string): { readonly name?: unknown; readonly version?: unknown } | undefined {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return typeof manifest === 'object' && manifest !== null ? manifest : undefined;
  } catch {
    return undefined;
  }
}
