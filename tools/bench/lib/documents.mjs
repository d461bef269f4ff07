import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './packages.mjs';

const folder = join(root, 'docs');

/** Replaces what stands between the markers of a benchmark and CPU class in a text. @throws when they are not there */
export function replaceBlock(text, name, cpuClass, content) {
  const [start, end] = [`<!-- bench:${name}:${cpuClass} -->`, `<!-- /bench:${name}:${cpuClass} -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from)
    throw new Error(`docs/benchmarks.md has no place for this: put ${start} and ${end} where it belongs.`);
  return `${text.slice(0, from + start.length)}\n${content}\n${text.slice(to)}`;
}

/** Puts the Markdown of a run into every document that has a place for it. @throws when docs/benchmarks.md has none */
export function updateDocuments(name, cpuClass, content) {
  for (const file of readdirSync(folder).filter((entry) => entry.endsWith('.md'))) {
    const path = join(folder, file);
    const text = readFileSync(path, 'utf8');
    if (file === 'benchmarks.md' || text.includes(`<!-- bench:${name}:${cpuClass} -->`))
      writeFileSync(path, replaceBlock(text, name, cpuClass, content));
  }
}
