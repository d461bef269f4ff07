import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CpuFacts } from '../backend/index.ts';
import { parseCpuInfo, parseSysctl } from './cpu-facts.ts';

/** For tests: what machines say of themselves. The first line of each file tells where it is from. */
const folder = join(dirname(fileURLToPath(import.meta.url)), 'cpu-facts-recorded');

/** Names of all machines, sorted. */
export const recordedCpus = readdirSync(folder)
  .map((file) => file.replace(/\.txt$/, ''))
  .sort();

/** The text of a machine, without the line that tells where it is from. */
export const recordedText = (name: string): string =>
  readFileSync(join(folder, `${name}.txt`), 'utf8').replace(/^#.*\n/, '');

/** The facts of a machine, as `readCpuFacts` would find them there. */
export function recordedFacts(name: string): CpuFacts {
  const text = recordedText(name);
  if (name.startsWith('apple-')) return parseSysctl(text, 'arm64', 8);
  return parseCpuInfo(text, text.includes('CPU implementer') ? 'arm64' : 'x64', 8);
}
