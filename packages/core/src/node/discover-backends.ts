import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { BackendManifest, TargetSpec } from '../backend/index.ts';
import { checkManifest, checkTargets } from './discover-backends-check.ts';

/** A backend package that is installed, known from its manifest alone: none of its code ran. */
export interface InstalledBackend {
  readonly id: string;
  readonly package: string;
  readonly version: string;
  readonly folder: string;
  readonly manifest: BackendManifest;
  readonly targets: readonly TargetSpec[];
  /** Why it cannot be used, when it cannot. */
  readonly problem?: string | undefined;
}

export interface DiscoverOptions {
  /** Where the user stands. @defaultValue the working directory */
  readonly projectFolder?: string;
  /** Folder of a program whose own neighbours count too (a global or npx install of the CLI). */
  readonly programFolder?: string;
}

interface Package {
  readonly name?: string;
  readonly version?: string;
  readonly workspaces?: unknown;
  readonly optimum?: { readonly backend?: BackendManifest };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/**
 * The backends among the direct dependencies of the nearest package.json, of its workspace root, of the program and of
 * the package that the program was installed into (npx, pnpm's global folder), and those beside the program in its
 * scope folder (npm's global folder). Only JSON is read; `node_modules` is never crawled, so that a package which
 * merely lies there is never found.
 */
export function discoverBackends(options: DiscoverOptions = {}): InstalledBackend[] {
  const found = new Map<string, InstalledBackend>();
  for (const { folder, name } of candidates(options)) {
    const location = locate(name, folder);
    const backend = location && readBackend(location);
    if (backend && !found.has(backend.id)) found.set(backend.id, backend);
  }
  return [...found.values()];
}

/** Names of packages that may be backends, with the folder from which they resolve. */
function* candidates(options: DiscoverOptions): Iterable<{ folder: string; name: string }> {
  const project = nearestPackage(resolve(options.projectFolder ?? process.cwd()));
  const roots = [project, project && workspaceRoot(project)];
  if (options.programFolder) roots.push(...programRoots(realpathSync(options.programFolder)));
  for (const folder of new Set(roots.filter((root) => root !== undefined))) {
    for (const name of dependenciesOf(folder)) yield { folder, name };
  }
  if (options.programFolder) yield* neighbours(realpathSync(options.programFolder));
}

/** The program's own package, and the one that it was installed into. */
function programRoots(programFolder: string): (string | undefined)[] {
  const own = nearestPackage(programFolder);
  const name = own && readPackage(own)?.name;
  if (!own || !name) return [own];
  for (let folder = dirname(own); folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json')) && existsSync(join(folder, 'node_modules', name)))
      return [own, folder];
  }
  return [own];
}

/** Packages named `backend-*` in the scope folder in which the program itself is installed. */
function* neighbours(programFolder: string): Iterable<{ folder: string; name: string }> {
  const scope = dirname(programFolder);
  if (!basename(scope).startsWith('@')) return;
  for (const entry of readdirSync(scope)) {
    if (entry.startsWith('backend-')) yield { folder: dirname(dirname(scope)), name: `${basename(scope)}/${entry}` };
  }
}

function dependenciesOf(folder: string): string[] {
  const json = readPackage(folder);
  return Object.keys({ ...json?.dependencies, ...json?.devDependencies, ...json?.optionalDependencies });
}

/** The backend in a package folder, known from its manifest alone; `undefined` for a package that is none. */
export function readBackend(folder: string): InstalledBackend | undefined {
  const json = readPackage(folder);
  const manifest = json?.optimum?.backend;
  if (!manifest || typeof manifest.id !== 'string') return undefined;
  const base = { id: manifest.id, package: json.name ?? '', version: json.version ?? '', folder, manifest };
  const wrong = checkManifest(manifest);
  if (wrong) return { ...base, targets: [], problem: wrong };
  try {
    const targets: unknown = JSON.parse(readFileSync(join(folder, manifest.targets), 'utf8'));
    const problem = checkTargets(targets);
    return problem ? { ...base, targets: [], problem } : { ...base, targets: targets as readonly TargetSpec[] };
  } catch (error) {
    return { ...base, targets: [], problem: `its ${manifest.targets} cannot be read: ${(error as Error).message}` };
  }
}

/** The package's folder, looked for in the `node_modules` of `from` and of the folders above it. */
export function locate(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const location = join(folder, 'node_modules', name);
    if (existsSync(join(location, 'package.json'))) return realpathSync(location);
    if (folder === dirname(folder)) return undefined;
  }
}

function nearestPackage(from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

function workspaceRoot(from: string): string | undefined {
  for (let folder = dirname(from); folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'pnpm-workspace.yaml')) || readPackage(folder)?.workspaces) return folder;
  }
  return undefined;
}

function readPackage(folder: string): Package | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Package;
  } catch {
    return undefined;
  }
}
