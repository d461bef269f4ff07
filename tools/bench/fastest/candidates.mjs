import { join } from 'node:path';
import { runMeasured } from '../lib/measured-process.mjs';
import { root } from '../lib/packages.mjs';
import { sizes } from '../model/sizes.mjs';

const script = join(root, 'tools/bench/opponent/fastest.py');

/**
 * Every file that Python's tools make of a generated bert-base. What a tool cannot do is told with its reason.
 *
 * @param {string} python
 * @param {string} input
 * @param {string} folder where the files go, and what the tools leave in their working folder
 * @param {readonly string[] | undefined} only parts of the names that are wanted
 */
export async function makeCandidates(python, input, folder, only, log) {
  log('files of the Python tools: some minutes');
  const { heads, hidden } = sizes['bert-base'];
  const args = [script, input, folder, String(heads), String(hidden), ...(only ?? [])];
  const { stdout } = await runMeasured(python, args, { cwd: folder, env: { ORT_INTRA_OP_NUM_THREADS: '1' } });
  const lines = stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
  return {
    files: lines.filter(({ path }) => path).map((line) => ({ ...line, isOurs: false, config: {} })),
    problems: lines.filter(({ problem }) => problem),
  };
}
