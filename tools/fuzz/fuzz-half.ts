import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { env } from 'node:process';
import { expect } from 'vitest';
import { root } from '../testing/zoo.ts';
import { corpus } from './corpus.ts';
import { fuzz } from './run.ts';

const seed = Number(env.FUZZ_SEED ?? 1);
/** Mutants of both halves together. */
const total = Number(env.FUZZ_N ?? 50_000);

/** Judges one half of the mutants of this run: vitest gives each test file a process of its own. */
export function fuzzHalf(half: 0 | 1): void {
  const count = Math.ceil(total / 2);
  const { failures, slowest, ...report } = fuzz(corpus(), { seed, first: half * count, count });
  console.log(JSON.stringify({ seed, ...report, slowest, perSecond: Math.round(count / report.seconds) }));
  const folder = join(root, 'artifacts/fuzz');
  mkdirSync(folder, { recursive: true });
  for (const { ordinal, bytes } of failures) writeFileSync(join(folder, `${seed}-${ordinal}.onnx`), bytes);
  expect(failures.map(({ ordinal, from, what }) => `${ordinal} of ${from}: ${what}`)).toEqual([]);
  // 250 ms is the promise; the bound here leaves room for a machine that does other things as well.
  expect(slowest.milliseconds).toBeLessThan(2000);
  expect(report.residentMegabytes).toBeLessThan(512);
}
