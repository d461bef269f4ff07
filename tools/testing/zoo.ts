import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of the checkout. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

const zoo = process.env.OPTIMUM_ZOO ?? join(root, '../shared/zoo');
const missing = new Set<string>();

/**
 * Paths in the zoo of real models, or `undefined` when one of them is not there: the test is then skipped with a notice
 * (`it.skipIf(!paths)`), because a fresh clone has no zoo. Looked for in `$OPTIMUM_ZOO`, then beside the checkout.
 */
export function zooPaths(...names: readonly string[]): string[] | undefined {
  const paths = names.map((name) => join(zoo, name));
  const absent = names.filter((_, index) => !existsSync(paths[index] as string));
  if (absent.length === 0) return paths;
  for (const name of absent) {
    if (!missing.has(name)) console.warn(`skipped: ${name} is not in the zoo (set OPTIMUM_ZOO to where it is)`);
    missing.add(name);
  }
  return undefined;
}

/** A folder with the contents of an archive of the zoo, unpacked once for all tests of this machine. */
export function unpackZoo(archive: string): string | undefined {
  const [path] = zooPaths(archive) ?? [];
  if (!path) return undefined;
  const folder = join(tmpdir(), 'optimum-zoo', archive.replaceAll('/', '-'));
  if (existsSync(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  const staging = mkdtempSync(`${folder}-`);
  execFileSync('tar', ['-xJf', path, '-C', staging]);
  try {
    renameSync(staging, folder);
  } catch {
    // Another test process was faster.
    rmSync(staging, { recursive: true });
  }
  return folder;
}

/** Every file below a folder whose name ends with `ending`, sorted. */
export function filesBelow(folder: string, ending: string): string[] {
  return (readdirSync(folder, { recursive: true }) as string[])
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => join(folder, name));
}
