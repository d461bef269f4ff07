import { cpSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../testing/zoo.ts';

const packages = {
  '@optimum/core': 'packages/core',
  '@optimum/data': 'packages/data',
  '@optimum/report': 'packages/report',
  '@optimum/runtime-onnxruntime': 'packages/runtime-onnxruntime',
  '@optimum/backend-cpu': 'packages/backend-cpu',
  '@optimum/backend-intel-xeon': 'packages/backend-intel-xeon',
  '@optimum/backend-testkit': 'packages/backend-testkit',
  'onnxruntime-node': 'packages/runtime-onnxruntime/node_modules/onnxruntime-node',
  '@types/node': 'node_modules/@types/node',
} as const;

/**
 * A folder in which the documentation's examples run: a project with the built packages installed, the example model as
 * `./model` (a folder) and `./model.onnx`, two texts as `./samples.jsonl`, and `optimum` and `create-backend` in `./bin`.
 */
export function makePlayground(): string {
  const folder = mkdtempSync(join(tmpdir(), 'optimum-docs-'));
  const example = join(root, 'examples/reviews-bert-256');
  for (const [name, path] of Object.entries(packages)) {
    mkdirSync(join(folder, 'node_modules', name, '..'), { recursive: true });
    symlinkSync(join(root, path), join(folder, 'node_modules', name), 'junction');
  }
  const dependencies = { '@optimum/backend-cpu': '*', '@optimum/backend-intel-xeon': '*' };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', private: true, dependencies }));
  for (const file of ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'onnx/model.onnx'])
    cpSync(join(example, file), join(folder, 'model', file));
  cpSync(join(example, 'onnx/model.onnx'), join(folder, 'model.onnx'));
  writeFileSync(join(folder, 'samples.jsonl'), '"a fine phone"\n{ "text": "a waste of money" }\n');
  mkdirSync(join(folder, 'bin'));
  const programs = { optimum: 'apps/cli/bin/optimum.js', 'create-backend': 'tools/create-backend' };
  for (const [name, path] of Object.entries(programs))
    writeFileSync(join(folder, 'bin', name), `#!/bin/sh\nexec node '${join(root, path)}' "$@"\n`, { mode: 0o755 });
  return folder;
}
