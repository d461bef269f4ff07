import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './packages.mjs';

const path = join(root, 'docs/benchmarks.md');

/** Replaces what stands between the markers of a benchmark and CPU class in a text. @throws when they are not there */
export function replaceBlock(text, name, cpuClass, content) {
  const [start, end] = [`<!-- bench:${name}:${cpuClass} -->`, `<!-- /bench:${name}:${cpuClass} -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from)
    throw new Error(`docs/benchmarks.md has no place for this: put ${start} and ${end} where it belongs.`);
  return `${text.slice(0, from + start.length)}\n${content}\n${text.slice(to)}`;
}

/** Puts the Markdown of a run into docs/benchmarks.md. */
export function updateDocuments(name, cpuClass, content) {
  writeFileSync(path, replaceBlock(readFileSync(path, 'utf8'), name, cpuClass, content));
}
