// Installs the packed packages into an empty folder, as a user would, and uses them: the command, ESM and CommonJS.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './bootstrap.mjs';

const runtime = JSON.parse(readFileSync(join(root, 'packages/runtime-onnxruntime/package.json'), 'utf8'))
  .devDependencies['onnxruntime-node'];
const model = join(root, 'examples/reviews-bert-256/onnx/model.onnx');

/** Throws with the output of the step that failed. */
function step(folder, command, args, expected) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    env: { ...process.env, NO_COLOR: '1', ORT_DISABLE_TELEMETRY: '1' },
  });
  const shown = `${command} ${args.join(' ')}\n${stdout}${stderr}`;
  if (status !== 0) throw new Error(`exit ${status}: ${shown}`);
  if (expected && !expected.test(stdout)) throw new Error(`${expected} is not in the output of ${shown}`);
}

const names = ['annotate', 'readModel', 'defineBackend'];
const check = `for (const name of ${JSON.stringify(names)}) if (typeof core[name] !== 'function') throw new Error(name);
  if (typeof node.quantize !== 'function') throw new Error('quantize');
  if (core.OptimumError !== node.OptimumError && node.OptimumError) throw new Error('two classes of one error');
  node.quantize({ input: ${JSON.stringify(model)}, output: 'from-code.onnx', force: true, timing: false, threads: 2 })
    .then(({ sessions }) => console.log(sessions[0].verification.status));`;
const esm = `import * as core from '@optimum/core'; import * as node from '@optimum/core/node'; ${check}`;
const cjs = `const core = require('@optimum/core'); const node = require('@optimum/core/node'); ${check}`;
const backends = `for (const name of ['cpu', 'intel-xeon', 'amd-epyc', 'arm-neoverse']) {
  const backend = (await import('@optimum/backend-' + name)).default;
  const required = (await import('node:module')).createRequire(process.cwd() + '/x.js')('@optimum/backend-' + name).default;
  if (backend.id !== name || required.id !== name) throw new Error(name);
} console.log('loaded');`;

/** Steps of the test with their milliseconds. `packed`: what packAll returned. */
export function smokeTest(packed) {
  const folder = mkdtempSync(join(tmpdir(), 'optimum-smoke-'));
  const times = {};
  const timed = (name, ...rest) => {
    const start = performance.now();
    step(folder, ...rest);
    times[name] = Math.round(performance.now() - start);
  };
  try {
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'smoke', private: true }));
    const tarballs = packed.map(({ tarball }) => tarball);
    // Its install script only fetches CUDA files; see the architecture page.
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    timed('npm install', 'npm', ['install', ...flags, ...tarballs, `onnxruntime-node@${runtime}`]);
    timed('import', 'node', ['--input-type=module', '-e', esm], /^verified$/m);
    timed('require', 'node', ['-e', cjs], /^verified$/m);
    timed('backends', 'node', ['--input-type=module', '-e', backends], /loaded/);
    timed('optimum backends', 'npx', ['optimum', 'backends'], /@optimum\/backend-cpu/);
    timed('optimum doctor', 'npx', ['optimum', 'doctor'], new RegExp(`runtime .*${runtime.replaceAll('.', '\\.')}`));
    timed(
      'optimum quantize',
      'npx',
      ['optimum', 'quantize', model, '-o', 'model_quantized.onnx'],
      /exact +(\d+) of \1 /,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return times;
}
