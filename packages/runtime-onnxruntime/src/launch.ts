import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { OptimumError } from '@optimum/core';

/** What a process is started with, beside its program. */
export interface LaunchOptions {
  /** Logical CPUs that it may use. */
  readonly cores?: readonly number[] | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
}

/** How a process is started: through `taskset` where it is bound to cores. */
export interface Launch {
  readonly execPath: string;
  readonly execArgv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** @throws E_USAGE for cores that cannot be bound here, and for a library to preload that does not exist */
export function launchOf({ cores, environment = {} }: LaunchOptions): Launch {
  checkPreload(environment);
  const env = { ...process.env, ...environment, ORT_DISABLE_TELEMETRY: '1', NODE_OPTIONS: '' };
  if (!cores) return { execPath: process.execPath, execArgv: [], env };
  checkCores(cores);
  // It replaces itself by the program, so that the process is the same one.
  return { execPath: requireTaskset(), execArgv: ['-c', cores.join(','), process.execPath], env };
}

/** @throws E_USAGE naming those that there are */
function checkCores(cores: readonly number[]): void {
  const granted = grantedCores();
  const unknown = cores.find((core) => !Number.isSafeInteger(core) || core < 0 || (granted && !granted.includes(core)));
  if (cores.length > 0 && unknown === undefined) return;
  const problem = cores.length === 0 ? 'no core is named' : `core ${unknown} is not one that this process may use`;
  throw new OptimumError(
    'E_USAGE',
    `The process cannot be bound to cores ${cores.join(', ') || '(none)'}: ${problem}.`,
    {
      hint: `It may use ${granted?.join(', ') ?? 'those of this machine'}.`,
      context: { cores: [...cores] },
    },
  );
}

/** Logical CPUs that this process may use; `undefined` where the system does not tell. */
function grantedCores(): number[] | undefined {
  try {
    const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return list?.split(',').flatMap((range) => {
      const [first = 0, last = first] = range.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
  } catch {
    return undefined;
  }
}

function requireTaskset(): string {
  const found = (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'taskset'))
    .find(isExecutable);
  if (process.platform === 'linux' && found) return found;
  const [why, hint] =
    process.platform === 'linux'
      ? ['taskset is not installed', 'Install it (package util-linux), or leave the cores out.']
      : [`${process.platform} has no way to do it`, 'Leave the cores out, or measure on Linux.'];
  throw new OptimumError('E_USAGE', `The process cannot be bound to cores: ${why}.`, { hint });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The loader passes over what it does not find, and then nothing would show that it was not there. */
function checkPreload({ LD_PRELOAD = '' }: Readonly<Record<string, string>>): void {
  const absent = LD_PRELOAD.split(/[\s:]+/).find((path) => path.includes('/') && !existsSync(path));
  if (absent === undefined) return;
  throw new OptimumError('E_USAGE', `LD_PRELOAD names ${absent}, which does not exist.`, {
    hint: 'Install the library, or leave it out.',
  });
}
