import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { snapshot, tinyModel, writeTiny, writeTinyFolder } from '../../../../tools/testing/tiny-models.ts';
import { addNode, float32Tensor, Graph, graphAttribute, type Model, tensorType, Value } from '../ir/index.ts';
import { resolveModelInput } from './model-folder.ts';
import { readConfig, withTransformersJsConfig } from './model-folder-config.ts';
import { quantize } from './quantize.ts';
import { saveModel } from './save-model.ts';
import type { QuantizeOptions } from './session-context.ts';
import { snippetOf } from './snippet.ts';

const root = mkdtempSync(join(tmpdir(), 'optimum folders é '));
// Backends are found through the dependencies of the command-line program.
const projectFolder = resolve(dirname(fileURLToPath(import.meta.url)), '../../../../apps/cli');
afterAll(() => rmSync(root, { recursive: true, force: true }));

let place = '';
let count = 0;
beforeEach(() => {
  place = join(root, `${count++} 模型`);
  mkdirSync(place);
});

const run = (options: Omit<QuantizeOptions, 'projectFolder'>) => quantize({ projectFolder, verify: false, ...options });
const write = (name: string, text: string): void => {
  mkdirSync(dirname(join(place, name)), { recursive: true });
  writeFileSync(join(place, name), text);
};
const files = (folder: string): string[] =>
  Object.entries(snapshot(folder))
    .filter(([, kind]) => kind !== 'folder')
    .map(([name]) => name)
    .sort();
const json = (path: string): Record<string, Record<string, unknown>> => JSON.parse(readFileSync(path, 'utf8'));
const rejects = async (promise: Promise<unknown>, code: string, message?: RegExp): Promise<void> => {
  const before = snapshot(place);
  await expect(promise).rejects.toMatchObject({ code, ...(message && { message: expect.stringMatching(message) }) });
  expect(snapshot(place)).toEqual(before);
};

/** As exporters merge two decoders: `use_cache` chooses between two branches that share a weight. */
function mergedDecoder(): Model {
  const model = tinyModel({ layers: 1 });
  const { graph } = model;
  const flag = graph.addInput(new Value('use_cache_branch', tensorType('bool', [])));
  const shared = graph.addInitializer(
    float32Tensor(
      [64, 64],
      Array.from({ length: 4096 }, (_, i) => Math.sin(i)),
    ),
    'shared',
  );
  const branch = (name: string): Graph => {
    const body = new Graph(name);
    const output = new Value(`${name}_out`, tensorType('float32', ['batch', 64]));
    addNode(body, 'MatMul', { inputs: [graph.outputs[0] as Value, shared], outputs: [output] });
    body.addOutput(output);
    return body;
  };
  const attributes = new Map(['then_branch', 'else_branch'].map((name) => [name, graphAttribute(branch(name))]));
  const logits = new Value('logits', tensorType('float32', ['batch', 64]));
  graph.addOutput(addNode(graph, 'If', { inputs: [flag], attributes, outputs: [logits] }).outputs[0] as Value);
  return model;
}

describe('a model folder', () => {
  it('of several sessions: each is treated, the rest goes along, variants stay', async () => {
    const input = await writeTinyFolder(join(place, 'in put'), ['encoder_model']);
    await saveModel(mergedDecoder(), join(input, 'onnx/decoder_model_merged.onnx'));
    for (const name of ['encoder_model_fp16.onnx', 'encoder_model_quantized.onnx', 'decoder_model_merged_q4.onnx'])
      writeFileSync(join(input, 'onnx', name), 'a variant');
    for (const name of ['.gitattributes', 'model.safetensors', 'pytorch_model.bin', 'README.md'])
      writeFileSync(join(input, name), name);
    mkdirSync(join(input, '1_Pooling'));
    writeFileSync(join(input, '1_Pooling/config.json'), '{}');
    mkdirSync(join(input, 'node_modules'));
    writeFileSync(join(input, 'node_modules/x.js'), '');
    const before = snapshot(input);
    const report = await quantize({ input, projectFolder });
    expect(snapshot(input)).toEqual(before);
    expect(report.output).toBe(`${input}-optimized`);
    expect(files(report.output)).toEqual([
      '1_Pooling/config.json',
      'README.md',
      'config.json',
      'onnx/decoder_model_merged_quantized.onnx',
      'onnx/encoder_model_quantized.onnx',
      'optimum_report.json',
      'tokenizer.json',
    ]);
    expect(json(join(report.output, 'config.json'))['transformers.js_config']).toEqual({ dtype: 'q8' });
    expect(report.notes.join()).toContain('onnx/encoder_model_fp16.onnx');
    expect(report.sessions.map(({ name, verification }) => [name, verification.status])).toEqual([
      ['decoder_model_merged', 'verified'],
      ['encoder_model', 'verified'],
    ]);
    expect(report.sessions[0]?.operators.MatMul).toEqual({ integer: 3, total: 3 });
  });

  it('with the files at its top, or beside an empty onnx/, becomes one with onnx/', async () => {
    await writeTiny(join(place, 'top/model.onnx'));
    mkdirSync(join(place, 'top/onnx'));
    mkdirSync(join(place, 'top/odd.onnx'));
    const { output } = await run({ input: join(place, 'top') });
    expect(files(output)).toEqual(['onnx/model_quantized.onnx', 'optimum_report.json']);
  });

  it('in the layout of the Hub cache: links into blobs', async () => {
    const plain = await writeTinyFolder(join(place, 'plain'));
    const snapshots = join(place, 'cache/snapshots/abc');
    mkdirSync(join(place, 'cache/blobs'), { recursive: true });
    for (const [index, file] of files(plain).entries()) {
      const blob = join(place, 'cache/blobs', String(index));
      renameSync(join(plain, file), blob);
      mkdirSync(dirname(join(snapshots, file)), { recursive: true });
      symlinkSync(relative(dirname(join(snapshots, file)), blob), join(snapshots, file));
    }
    symlinkSync('nowhere', join(snapshots, 'dangling.json'));
    symlinkSync('/', join(snapshots, 'everything'));
    const { output } = await run({ input: snapshots, output: join(place, 'out') });
    expect(files(output)).toEqual([
      'config.json',
      'onnx/model_quantized.onnx',
      'optimum_report.json',
      'tokenizer.json',
    ]);
    expect(Object.values(snapshot(output)).filter((kind) => kind.startsWith('->'))).toEqual([]);
  });

  it('with external data under any name: it goes into the result, and its announcement goes', async () => {
    const input = join(place, 'in');
    await writeTiny(join(input, 'onnx/model.onnx'), { externalData: 'always' });
    write(
      'in/config.json',
      `\uFEFF${JSON.stringify({
        'transformers.js_config': {
          dtype: { model: 'fp32' },
          use_external_data_format: true,
          kv_cache_dtype: { q8: 'float32' },
          device_config: { wasm: { dtype: 'q4', free_dimension_overrides: { batch: 1 } } },
        },
      })}`,
    );
    const { output } = await run({ input, output: join(place, 'out') });
    expect(files(output)).toEqual(['config.json', 'onnx/model_quantized.onnx', 'optimum_report.json']);
    expect(json(join(output, 'config.json'))).toEqual({
      'transformers.js_config': {
        dtype: 'q8',
        kv_cache_dtype: { q8: 'float32' },
        device_config: { wasm: { free_dimension_overrides: { batch: 1 } } },
      },
    });
  });

  it('announces external data of the result', () => {
    const config = { model_type: 'bert', 'transformers.js_config': { use_external_data_format: true } };
    expect(withTransformersJsConfig(config, ['onnx/model_quantized.onnx'])).toEqual({
      model_type: 'bert',
      'transformers.js_config': { dtype: 'q8', use_external_data_format: { 'model_quantized.onnx': 1 } },
    });
  });

  it.each([
    ['{', /config\.json is not JSON/],
    ['[1]', /config\.json is no JSON object, but a list/],
    ['null', /but null/],
  ])('with a config.json that holds %j is refused before any work', async (text, message) => {
    await writeTinyFolder(join(place, 'in'));
    write('in/config.json', text);
    await rejects(run({ input: join(place, 'in') }), 'E_CONFIG_SYNTAX', message);
  });

  it('without config.json is fine', async () => {
    await writeTiny(join(place, 'in/onnx/model.onnx'));
    const { output } = await run({ input: join(place, 'in') });
    expect(readConfig(output)).toBeUndefined();
  });

  it.each([
    ['nothing', () => undefined, /holds no \.onnx file/],
    [
      'variants only',
      () => write('in/onnx/model_q4.onnx', ''),
      /only variants that are quantized already \(model_q4\)/,
    ],
  ])('that holds %s is told', async (_, make, message) => {
    mkdirSync(join(place, 'in'));
    make();
    await rejects(run({ input: join(place, 'in') }), 'E_MODEL_NOT_ONNX', message);
  });

  it('names the file of several that fails', async () => {
    await writeTiny(join(place, 'in/onnx/encoder_model.onnx'));
    await writeTiny(join(place, 'in/onnx/decoder_model.onnx'), { poison: Number.NaN });
    await rejects(run({ input: join(place, 'in') }), 'E_NUMERIC_NAN', /decoder_model\.onnx/);
  });
});

describe('the place of the result', () => {
  it('may be relative, and replaces a whole folder with --force only', async () => {
    const input = await writeTinyFolder(join(place, 'in'));
    const output = relative(process.cwd(), join(place, 'out'));
    expect((await run({ input, output })).output).toBe(join(place, 'out'));
    writeFileSync(join(place, 'out/extra.txt'), 'of the old one');
    await rejects(run({ input, output }), 'E_OUTPUT_EXISTS');
    await run({ input, output, force: true });
    expect(readdirSync(join(place, 'out')).sort()).toEqual([
      'config.json',
      'onnx',
      'optimum_report.json',
      'tokenizer.json',
    ]);
    expect(readdirSync(place).sort()).toEqual(['in', 'out']);
  });

  it('must not be the input, hold it, lie in it, or be something that it reads, whatever links lead there', async () => {
    const input = await writeTinyFolder(join(place, 'in'));
    await writeTiny(join(place, 'solo/big.onnx'), { externalData: 'always' });
    const model = join(place, 'solo/big.onnx');
    symlinkSync('in', join(place, 'link'));
    for (const output of ['in', 'in/out', 'in/onnx/new', 'link/out', '.', 'link'])
      await rejects(run({ input, output: join(place, output), force: true }), 'E_USAGE', /input/);
    await rejects(run({ input: join(place, 'link'), output: join(place, 'in/out') }), 'E_USAGE', /inside the input/);
    for (const output of ['solo/big.onnx', 'solo/big.onnx_data', 'solo'])
      await rejects(run({ input: model, output: join(place, output), force: true }), 'E_USAGE', /input/);
    // Its external data would be the input's.
    renameSync(join(place, 'solo/big.onnx'), join(place, 'solo/small.onnx'));
    const other = run({ input: join(place, 'solo/small.onnx'), output: model, force: true });
    await rejects(other, 'E_USAGE', /would replace big\.onnx_data, which the input is read from/);
  });

  it('cannot be a file where a folder comes, or the other way round', async () => {
    const input = await writeTinyFolder(join(place, 'in'));
    write('file', 'precious');
    mkdirSync(join(place, 'folder'));
    await rejects(run({ input, output: join(place, 'file'), force: true }), 'E_OUTPUT_EXISTS', /is a file/);
    const model = join(input, 'onnx/model.onnx');
    await rejects(run({ input: model, output: join(place, 'folder'), force: true }), 'E_OUTPUT_EXISTS', /is a folder/);
    await rejects(run({ input: model, output: join(place, 'file/a.onnx') }), 'E_IO');
  });
});

describe('resolveModelInput', () => {
  it('tells what is not there, and what a name is too long for', () => {
    expect(() => resolveModelInput(join(place, 'nothing'))).toThrow(/no such file or folder/);
    expect(() => resolveModelInput(join(place, 'x'.repeat(300)))).toThrow(expect.objectContaining({ code: 'E_IO' }));
  });
});

describe('snippetOf', () => {
  it('fits the task, and never fails', () => {
    write('in/config.json', '{"architectures": ["BertForMaskedLM"]}');
    expect(snippetOf(join(place, 'in'), '/o', true, { session: {} })).toContain(
      "pipeline('fill-mask', '/o', { dtype: 'q8' })",
    );
    for (const text of ['', '[]', 'null', '{"architectures": 5}', '{"architectures": [5]}']) {
      write('in/config.json', text);
      expect(snippetOf(join(place, 'in'), '/o', true, { session: {} })).toContain("pipeline('feature-extraction'");
    }
    expect(snippetOf('x', "/it's\\here", false, { session: {} })).toContain("create('/it\\'s\\\\here'");
  });
});
