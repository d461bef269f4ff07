import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { snapshot } from '../../../../tools/testing/tiny-models.ts';
import { root } from '../../../../tools/testing/zoo.ts';
import { seededRandom } from '../foundation/index.ts';
import { parseModel } from '../text/index.ts';
import { loadModelSync } from './load-model.ts';
import { retarget } from './retarget.ts';
import { saveModel } from './save-model.ts';

// Published models as text, retargeted as the command does it: with the proof on the runtime of this machine.
const folder = mkdtempSync(join(tmpdir(), 'optimum-retarget-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let place = folder;
beforeEach(() => {
  place = mkdtempSync(join(folder, 'case-'));
});

const common = { projectFolder: join(root, 'apps/cli'), timing: false } as const;
const vnni = { ...common, target: 'x86-64-avx512-vnni' } as const;
const avx2 = { ...common, target: 'x86-64-avx2' } as const;

const random = seededRandom(5);
const bytes = (count: number, least: number, most: number): string =>
  `{${Array.from({ length: count }, () => least + random.integer(most - least + 1))}}`;

const header = '<ir_version: 8, opset_import: ["": 17, "com.microsoft": 1]>\n';
const width = 32;
const square = `${width}, ${width}`;
const count = width * width;

const dynamic = (type: 'uint8' | 'int8'): string => {
  const [least, most, zero] = type === 'uint8' ? [0, 255, 128] : [-127, 127, 0];
  return `${header}g (float[n, ${width}] x) => (float[n, ${width}] y)
    <${type}[${square}] w = ${bytes(count, least, most)}, ${type} wz = {${zero}}, float ws = {0.01}> {
      q, s, z = DynamicQuantizeLinear (x) i = MatMulInteger (q, w, z, wz) f = Cast <to = 1> (i)
      c = Mul (s, ws) y = Mul (f, c) }`;
};

const signedQdq = `${header}g (float[n, ${width}] x) => (float[n, ${width}] y)
  <int8[${square}] w = ${bytes(count, -127, 127)}, int8 wz = {0}, float ws = {0.01}, float s = {0.03}, int8 z = {5}, float r = {0.05}> {
    q = QuantizeLinear (x, s, z) a = DequantizeLinear (q, s, z) b = DequantizeLinear (w, ws, wz)
    p = MatMul (a, b) o = QuantizeLinear (p, r, z) y = DequantizeLinear (o, r, z) }`;

const floatModel = `${header}g (float[n, 4] x) => (float[n, 4] y) { y = Relu (x) }`;

async function write(name: string, text: string): Promise<string> {
  const path = join(place, name);
  mkdirSync(join(path, '..'), { recursive: true });
  await saveModel(parseModel(text), path, { force: true });
  return path;
}

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'nothing was thrown',
    ({ code }) => code,
  );

describe('retarget', () => {
  it('makes unsigned weights signed, and proves that outputs are the same bytes at every optimization level', async () => {
    const input = await write('model.onnx', dynamic('uint8'));
    const before = readFileSync(input);
    const report = await retarget({ ...vnni, input });
    expect(report).toMatchObject({ published: true, output: join(place, 'model_retargeted.onnx') });
    const [session] = report.sessions;
    expect(session).toMatchObject({ status: 'retargeted', actions: [{ rewrite: 'signed-weights' }], left: [] });
    expect(session?.verification).toMatchObject({
      status: 'verified',
      relativeError: 0,
      integers: { wrong: 0 },
      // Below, a CPU without VNNI saturates on the signed weights.
      identity: { requiredUpTo: 'all', identicalAt: expect.arrayContaining(['extended', 'all']) },
    });
    expect(readFileSync(input).equals(before)).toBe(true);
  });

  it('makes signed activations unsigned, the same bytes as long as the graph is computed as written', async () => {
    const input = await write('model.onnx', signedQdq);
    const [session] = (await retarget({ ...vnni, input })).sessions;
    expect(session?.actions).toMatchObject([{ rewrite: 'unsigned-activations' }]);
    expect(session?.verification).toMatchObject({ status: 'verified', identity: { requiredUpTo: 'basic' } });
  });

  it('makes weights that may saturate exact for a CPU that adds pairs in 16 bits', async () => {
    for (const type of ['int8', 'uint8'] as const) {
      const input = await write(`${type}.onnx`, dynamic(type));
      const [session] = (await retarget({ ...avx2, input })).sessions;
      const [action] = session?.actions ?? [];
      // Random bytes over the whole range are far from a trained weight: unsigned ones may be best left.
      expect(action?.rewrite).toBe('pair-aware-weights');
      expect(action?.pairs?.risky).toBeGreaterThan(0);
      expect(session?.verification).toMatchObject({ status: 'verified', integers: { wrong: 0 } });
    }
  });

  it('writes nothing where nothing is gained, and points to quantize for a float model', async () => {
    const input = await write('model.onnx', dynamic('int8'));
    const before = snapshot(place);
    await expect(retarget({ ...vnni, input })).rejects.toMatchObject({
      code: 'E_NOTHING_GAINED',
      message: expect.stringContaining('unsigned activations and signed weights already'),
    });
    expect(snapshot(place)).toEqual(before);
    const float = await write('float.onnx', floatModel);
    await expect(retarget({ ...vnni, input: float })).rejects.toMatchObject({
      code: 'E_NOTHING_GAINED',
      hint: expect.stringContaining('optimum quantize'),
    });
  });

  it('says what it would do in a dry run, and writes nothing', async () => {
    const input = await write('model.onnx', dynamic('uint8'));
    const before = snapshot(place);
    const report = await retarget({ ...vnni, input, dryRun: true });
    expect(report).toMatchObject({
      published: false,
      sessions: [{ status: 'planned', actions: [{ op: 'MatMulInteger' }] }],
    });
    expect(snapshot(place)).toEqual(before);
  });

  it('replaces nothing without force, and never its input', async () => {
    const input = await write('model.onnx', dynamic('uint8'));
    const output = await write('there.onnx', floatModel);
    const quick = { ...vnni, input, verify: false } as const;
    expect(await codeOf(retarget({ ...quick, output }))).toBe('E_OUTPUT_EXISTS');
    expect(await codeOf(retarget({ ...quick, output: input, force: true }))).toBe('E_USAGE');
    const report = await retarget({ ...quick, output, force: true });
    expect(report.sessions[0]?.verification).toEqual({ status: 'unverified', reason: 'switched off' });
  });

  it('treats every quantized session of a folder, copies those without gain, and leaves float ones', async () => {
    await write('published/onnx/encoder_quantized.onnx', dynamic('uint8'));
    const unchanged = await write('published/onnx/decoder_quantized.onnx', dynamic('int8'));
    await write('published/onnx/encoder.onnx', floatModel);
    const input = join(place, 'published');
    writeFileSync(join(input, 'config.json'), '{"model_type": "bert"}');
    writeFileSync(join(input, 'tokenizer.json'), '{}');
    const report = await retarget({ ...vnni, input, verify: false });
    expect(report.output).toBe(join(place, 'published-retargeted'));
    expect(report.sessions.map(({ name, status }) => [name, status])).toEqual([
      ['decoder_quantized', 'copied'],
      ['encoder_quantized', 'retargeted'],
    ]);
    expect(report.notes).toEqual(['in float, left where they are: encoder.onnx']);
    const inside = join(report.output, 'onnx');
    expect(readdirSync(inside).sort()).toEqual(['decoder_quantized.onnx', 'encoder_quantized.onnx']);
    expect(readFileSync(join(inside, 'decoder_quantized.onnx')).equals(readFileSync(unchanged))).toBe(true);
    expect(readFileSync(join(report.output, 'config.json'), 'utf8')).toBe('{"model_type": "bert"}');
    expect(existsSync(join(report.output, 'tokenizer.json'))).toBe(true);
    expect(await codeOf(retarget({ ...vnni, input: report.output, verify: false }))).toBe('E_NOTHING_GAINED');
  });

  it('keeps external data beside the model, and announces it', async () => {
    const input = join(place, 'published');
    mkdirSync(join(input, 'onnx'), { recursive: true });
    const path = join(input, 'onnx/model_quantized.onnx');
    await saveModel(parseModel(dynamic('uint8')), path, { externalData: 'always' });
    writeFileSync(
      join(input, 'config.json'),
      '{"transformers.js_config": {"dtype": "q8", "use_external_data_format": {"model_quantized.onnx": 2}}}',
    );
    const { output } = await retarget({ ...vnni, input });
    expect(existsSync(join(output, 'onnx/model_quantized.onnx_data'))).toBe(true);
    expect(JSON.parse(readFileSync(join(output, 'config.json'), 'utf8'))).toEqual({
      'transformers.js_config': { dtype: 'q8', use_external_data_format: { 'model_quantized.onnx': 1 } },
    });
    const loaded = loadModelSync(join(output, 'onnx/model_quantized.onnx'));
    const types = [...loaded.model.graph.initializers].map(({ elementType }) => elementType);
    loaded.close();
    expect(types).not.toContain('uint8');
  });
});
