// Random graphs, quantized statically in both forms and run: the property test of core with many more runs.
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { dirname, join } from 'node:path';
import { env } from 'node:process';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const test = 'packages/core/src/quantize/realize-static-fuzz.test.ts';

/**
 * Resolves to whether every graph was right. What the test printed, the seed and the smallest graph that breaks it among
 * it, is in `log`.
 *
 * @param {{ runs: number, log: string }} options
 * @returns {Promise<{ graphs: number, isRight: boolean, log: string }>}
 */
export function fuzzStaticGraphs({ runs, log }) {
  return new Promise((resolve, reject) => {
    const child = spawn('npx', ['vitest', 'run', test], {
      cwd: root,
      env: { ...env, FUZZ_RUNS: String(runs), NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const file = createWriteStream(log);
    child.stdout.pipe(file, { end: false });
    child.stderr.pipe(file, { end: false });
    child.on('error', reject);
    child.on('close', (code) => file.end(() => resolve({ graphs: runs, isRight: code === 0, log })));
  });
}
