import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadModel } from '../../../packages/core/src/node/load-model.ts';
import { withTransformersJsConfig } from '../../../packages/core/src/node/model-folder-config.ts';
import { saveModel } from '../../../packages/core/src/node/save-model.ts';
import { optimum } from '../../../tools/testing/cli.ts';
import { root as checkout } from '../../../tools/testing/zoo.ts';

// transformers.js itself loads the folders, offline, by what is written in them. `npm test` builds the program first.
const root = mkdtempSync(join(tmpdir(), 'optimum transformers é '));
const example = join(checkout, 'examples/reviews-bert-256');
afterAll(() => rmSync(root, { recursive: true, force: true }));

const sentences = ['a wonderful phone, I love it', 'a complete waste of money'];

/** Labels that transformers.js gives the sentences with the model of a folder, without being told anything about it. */
function labelsBy(folder: string): string[] {
  const library = createRequire(join(checkout, 'apps/cli/package.json')).resolve('@huggingface/transformers');
  const code = `
    const { pipeline, env } = await import(${JSON.stringify(library)});
    env.allowRemoteModels = false;
    const run = await pipeline('text-classification', ${JSON.stringify(folder)});
    for (const text of ${JSON.stringify(sentences)}) console.log((await run(text))[0].label);`;
  const env = { ...process.env, ORT_DISABLE_TELEMETRY: '1' };
  return execFileSync('node', ['--input-type=module', '-e', code], { encoding: 'utf8', env }).trim().split('\n');
}

const quantize = (input: string, output: string): void =>
  expect(optimum(['quantize', input, '-o', output, '--no-verify', '--quiet'], { cwd: root })).toMatchObject({
    code: 0,
    err: '',
  });

describe('transformers.js loads', () => {
  it('what is made of a folder with external data, and a result that has external data itself', async () => {
    const input = join(root, 'in put');
    cpSync(example, input, { recursive: true });
    const original = await loadModel(join(example, 'onnx/model.onnx'));
    await saveModel(original.model, join(input, 'onnx/model.onnx'), { force: true, externalData: 'always' });
    original.close();
    const config = JSON.parse(readFileSync(join(input, 'config.json'), 'utf8'));
    config['transformers.js_config'] = { use_external_data_format: { 'model.onnx': 1 } };
    writeFileSync(join(input, 'config.json'), JSON.stringify(config));
    const output = join(root, 'sortie é');
    quantize(input, output);
    expect(readdirSync(join(output, 'onnx'))).toEqual(['model_quantized.onnx']);
    expect(labelsBy(output)).toEqual(['POSITIVE', 'NEGATIVE']);

    const made = await loadModel(join(output, 'onnx/model_quantized.onnx'));
    await saveModel(made.model, join(output, 'onnx/model_quantized.onnx'), { force: true, externalData: 'always' });
    made.close();
    const announced = withTransformersJsConfig(config, ['model_quantized.onnx']);
    writeFileSync(join(output, 'config.json'), JSON.stringify(announced));
    expect(readdirSync(join(output, 'onnx'))).toEqual(['model_quantized.onnx', 'model_quantized.onnx_data']);
    expect(labelsBy(output)).toEqual(['POSITIVE', 'NEGATIVE']);
  });

  it('what is made of the layout of the Hub cache', () => {
    const snapshot = join(root, 'models--me--reviews/snapshots/0123');
    const blobs = join(root, 'models--me--reviews/blobs');
    mkdirSync(join(snapshot, 'onnx'), { recursive: true });
    mkdirSync(blobs);
    for (const [index, file] of [
      'config.json',
      'tokenizer.json',
      'tokenizer_config.json',
      'onnx/model.onnx',
    ].entries()) {
      cpSync(join(example, file), join(blobs, `blob${index}`));
      symlinkSync(relative(join(snapshot, file, '..'), join(blobs, `blob${index}`)), join(snapshot, file));
    }
    const output = join(root, 'from the cache');
    quantize(snapshot, output);
    expect(labelsBy(output)).toEqual(['POSITIVE', 'NEGATIVE']);
  });
});
