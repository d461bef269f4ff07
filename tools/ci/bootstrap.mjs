// Installs the workspace with the pinned pnpm when that has not happened yet. Plain Node: nothing is installed before.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

export const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Runs a command in the root; ends this process with its exit code when it fails. */
export function run(command, args, options = {}) {
  const { status } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
    ...options,
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', ORT_DISABLE_TELEMETRY: '1', ...options.env },
  });
  if (status !== 0 && !options.mayFail) process.exit(status ?? 1);
  return status ?? 1;
}

export function install() {
  const marker = join(root, 'node_modules/.modules.yaml');
  const isFresh = existsSync(marker) && statSync(marker).mtimeMs >= statSync(join(root, 'pnpm-lock.yaml')).mtimeMs;
  if (isFresh) return;
  // Standard output belongs to the command that asked for this: the installer's goes to standard error.
  run('npx', ['--yes', packageManager, 'install', '--frozen-lockfile'], { stdio: ['ignore', 2, 2] });
}

export function build() {
  // Through pnpm, because turbo looks for it on the path.
  run('npx', ['--yes', packageManager, 'exec', 'turbo', 'run', 'build', '--output-logs=errors-only', '--ui=stream'], {
    stdio: ['ignore', 2, 2],
  });
}
