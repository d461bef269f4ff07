import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './zoo.ts';

/** The built program, as a user starts it; `npm test` builds it first. `$OPTIMUM_PROGRAM` names another one. */
export const program = process.env.OPTIMUM_PROGRAM ?? join(root, 'apps/cli/bin/optimum.js');

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly program?: string;
  readonly env?: Readonly<Record<string, string>>;
}

// Package managers put a path of packages into the environment of what they start; users have none.
const environment = { ...process.env, NODE_PATH: '' };

/** Runs the program to its end. */
export function optimum(args: readonly string[], options: RunOptions): Outcome {
  const { status, stdout, stderr } = spawnSync('node', [options.program ?? program, ...args], {
    cwd: options.cwd,
    env: { ...environment, ...options.env },
    encoding: 'utf8',
    timeout: 60_000,
    // Reports of calibration hold histograms.
    maxBuffer: 64e6,
  });
  return { code: status, out: stdout, err: stderr };
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Outcome & { readonly signal: NodeJS.Signals | null }>;
}

/** Starts the program. */
export function startOptimum(args: readonly string[], options: RunOptions & Pick<SpawnOptions, 'detached'>): Running {
  const child = spawn('node', [options.program ?? program, ...args], {
    cwd: options.cwd,
    env: { ...environment, ...options.env },
    detached: options.detached ?? false,
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  const ended = new Promise<Outcome & { signal: NodeJS.Signals | null }>((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal, out, err })),
  );
  return { child, ended };
}

/**
 * Lays packages of this workspace out as npm installs them, with nothing else around. Returns the program.
 * @param libraries further packages by name, with the folder that holds each
 */
export function install(
  folder: string,
  packages: readonly string[],
  libraries: Readonly<Record<string, string>> = {},
): string {
  const modules = join(folder, 'node_modules');
  for (const name of ['core', 'data', 'report', ...packages])
    copyPackage(join(root, 'packages', name), join(modules, '@optimum', name), ['dist', 'process', 'targets.json']);
  copyPackage(join(root, 'apps/cli'), join(modules, '@optimum/cli'), ['dist', 'bin']);
  for (const [name, target] of Object.entries(libraries)) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(target, join(modules, name));
  }
  return join(modules, '@optimum/cli/bin/optimum.js');
}

function copyPackage(from: string, to: string, parts: readonly string[]): void {
  mkdirSync(to, { recursive: true });
  for (const part of ['package.json', ...parts])
    if (existsSync(join(from, part))) cpSync(join(from, part), join(to, part), { recursive: true });
}

/** Processes whose environment holds `NAME=value`, with their command lines; Linux only. */
export function processesWith(name: string, value: string): { readonly pid: number; readonly command: string }[] {
  if (!existsSync('/proc/self/environ')) return [];
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      try {
        const variables = readFileSync(`/proc/${entry}/environ`, 'utf8').split('\0');
        if (!variables.includes(`${name}=${value}`)) return [];
        return [{ pid: Number(entry), command: readFileSync(`/proc/${entry}/cmdline`, 'utf8').replaceAll('\0', ' ') }];
      } catch {
        // It ended meanwhile, or belongs to somebody else.
        return [];
      }
    });
}

export const wait = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** Waits until something holds. Returns whether it did in time. */
export async function eventually(holds: () => boolean, timeLimitMs = 3000): Promise<boolean> {
  for (const start = performance.now(); performance.now() - start < timeLimitMs; await wait(20))
    if (holds()) return true;
  return holds();
}
