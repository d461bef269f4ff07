import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Backend, isBackend } from '../backend/index.ts';
import { checkBackend } from './check-backend.ts';
import { containLoading } from './contain-backend.ts';
import type { InstalledBackend } from './discover-backends.ts';
import { guardHooks } from './guard-hooks.ts';
import { incompatible } from './incompatible-backend.ts';

export interface ImportOptions {
  /** Longest time for loading its code, and for each call of its functions. @defaultValue 15 000 */
  readonly timeLimitMs?: number | undefined;
}

/**
 * Imports the code of one backend: the only place where that happens. Its functions may be called without care: each is
 * bounded in time, and what it throws or returns is checked.
 * @throws E_BACKEND_INCOMPATIBLE when its code cannot be loaded (it throws, hangs or exits), or
 * is not the backend of contract 1 that its manifest says
 */
export async function importBackend(
  installed: InstalledBackend,
  { timeLimitMs = 15_000 }: ImportOptions = {},
): Promise<Backend> {
  const module = await load(installed, timeLimitMs).catch((error: unknown) => {
    throw incompatible(installed, `cannot be loaded: ${messageOf(error)}`, error);
  });
  const backend: unknown = module.default;
  if (!isBackend(backend)) throw incompatible(installed, 'does not export a backend by default');
  const problem = checkBackend(backend, installed);
  if (problem) throw incompatible(installed, problem);
  return guardHooks(backend, installed, timeLimitMs);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function load(installed: InstalledBackend, timeLimitMs: number): Promise<{ readonly default?: unknown }> {
  const entry = join(installed.folder, installed.manifest.entry);
  return containLoading(installed.id, timeLimitMs, {
    atOnce: () => evaluate(entry),
    later: () => importModule(pathToFileURL(entry).href),
  });
}

/** Not on this stack: a module that waits for something, and files that only a loader of import() knows (TypeScript). */
const leftToImport = new Set(['ERR_REQUIRE_ASYNC_MODULE', 'ERR_REQUIRE_ESM', 'ERR_UNKNOWN_FILE_EXTENSION']);

/** Runs the module on this stack, where a time limit can end it. It is the same module that import() gives afterwards. */
function evaluate(entry: string): void {
  try {
    createRequire(entry)(entry);
  } catch (error) {
    if (!leftToImport.has((error as NodeJS.ErrnoException | undefined)?.code ?? '')) throw error;
  }
}

/** True in the CommonJS build; not there at all in the sources. */
declare const __COMMONJS__: boolean | undefined;

/** import() of a URL. The tool that makes the CommonJS build turns every import() that it sees into require(). */
async function importModule(url: string): Promise<{ readonly default?: unknown }> {
  if (typeof __COMMONJS__ === 'undefined' || !__COMMONJS__) return import(url);
  const require = createRequire(import.meta.url);
  const folder = dirname(require.resolve('@optimum/core/package.json'));
  return (require(join(folder, 'process/import-module.cjs')) as typeof importModule)(url);
}
