import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runMeasured } from './measured-process.mjs';
import { root } from './packages.mjs';
import { pythonSetting } from './settings.mjs';

const script = join(root, 'tools/bench/opponent/quantize_dynamic.py');
const wanted = '1.30.0';

/** Both schemes: the recipe of ours, and the argument that gives the same with Python. */
export const schemes = [
  { name: 'per tensor', recipe: 'compatible', flags: [] },
  { name: 'per channel', recipe: 'compatible-per-channel', flags: ['per_channel'] },
];

/** The Python that has the opponent installed. @throws when it is not there, with what to do */
export function opponentPython() {
  if (pythonSetting && existsSync(pythonSetting)) return pythonSetting;
  throw new Error(
    `Set OPTIMUM_BENCH_PYTHON to the Python of an environment with onnxruntime==${wanted} and onnx; only this comparison needs it.`,
  );
}

/** Versions of the opponent in one line; a version other than the runtime's own is said so. */
export function describeOpponent(python) {
  const code =
    'import platform, onnxruntime, onnx; print(platform.python_version(), onnxruntime.__version__, onnx.__version__)';
  const { stdout } = spawnSync(python, ['-c', code], { encoding: 'utf8' });
  const [version, runtime, onnx] = stdout.trim().split(' ');
  const other = runtime === wanted ? '' : ` (not ${wanted})`;
  return `Python ${version}, onnxruntime ${runtime}${other}, onnx ${onnx}, quantize_dynamic with weight_type QInt8`;
}

/** Quantizes a model with Python. */
export const quantizeWithPython = (python, input, output, { flags }) =>
  runMeasured(python, [script, input, output, ...flags]);
