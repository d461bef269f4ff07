import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from '../../../../tools/testing/zoo.ts';
import { onnxruntime } from '../../../runtime-onnxruntime/src/index.ts';
import { type ConstantRef, constantOf, storedTensor } from '../analysis/index.ts';
import type { RowSample, TensorData } from '../backend/index.ts';
import { seededRandom } from '../foundation/index.ts';
import { addNode, Graph, Model, type Node, tensorOf, tensorType, Value } from '../ir/index.ts';
import { asymmetricUint8, roundHalfEven } from '../kernels/index.ts';
import { loadModelSync } from '../node/load-model.ts';
import { serializeModel } from '../onnx/index.ts';
import { convolutionRows, countSaturation, filterMatrices, integerProduct, quantizeRows } from '../quantize/index.ts';
import { fullRangeMatrices } from '../quantize/saturation-weights.ts';
import { parseModel } from '../text/index.ts';
import { type IntegerTap, tapIntegerProducts } from './check-integers.ts';
import { makeInputs } from './make-inputs.ts';
import {
  convolutionModel,
  dynamicConvolutionModel,
  productModel,
  type StaticModelOptions,
} from './test-static-models.ts';

// Whether the check of integers finds what a CPU with AVX2 and without VNNI really computes: under an emulator, because
// the CPU at hand may be exact.
const emulator = 'qemu-x86_64';
const hasEmulator = process.arch === 'x64' && spawnSync(emulator, ['--version']).status === 0;
if (!hasEmulator) console.warn(`skipped: ${emulator} is not installed (Debian: qemu-user)`);

const folder = mkdtempSync(join(tmpdir(), 'optimum-emulated-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Job {
  readonly model: Model;
  readonly taps: readonly IntegerTap[];
  readonly feeds: Readonly<Record<string, TensorData>>;
  /** Outputs whose bytes are wanted. */
  readonly fetch?: readonly string[];
}

interface Outcome {
  readonly wrong: number;
  readonly outputs: number;
  /** Base64. */
  readonly fetched: Readonly<Record<string, string>>;
}

const encode = ({ elementType, dims, bytes }: TensorData): object => ({
  elementType,
  dims,
  base64: Buffer.from(bytes).toString('base64'),
});

/** Runs jobs on an emulated CPU. All in one process: starting it is what takes time. */
function emulate(cpu: string, jobs: readonly Job[]): Outcome[] {
  const encoded = jobs.map(({ model, feeds, ...job }, index) => {
    const path = join(folder, `tapped-${index}.onnx`);
    writeFileSync(path, serializeModel(model));
    return {
      ...job,
      model: path,
      feeds: Object.fromEntries(Object.entries(feeds).map(([name, x]) => [name, encode(x)])),
    };
  });
  const jobsPath = join(folder, 'jobs.json');
  writeFileSync(jobsPath, JSON.stringify(encoded));
  const entry = createRequire(join(root, 'packages/runtime-onnxruntime/package.json')).resolve('onnxruntime-node');
  const runner = join(root, 'tools/bench/emulated/run-taps.mjs');
  // The emulator has no executable memory for the engine's compiler to write to at speed.
  const args = ['-cpu', cpu, process.execPath, '--jitless', runner, entry, jobsPath];
  const { stdout, stderr, status } = spawnSync(emulator, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Outcome[];
}

interface Subject {
  readonly text: string;
  readonly dims: readonly number[];
}

const fullRange: StaticModelOptions = { largestWeight: 127, extremes: 0.6, outputScale: 0.5 };
const sevenBits: StaticModelOptions = { largestWeight: 64, extremes: 0.6, outputScale: 0.2 };
const image = [1, 6, 7, 7] as const;

const subjects = (options: StaticModelOptions): Readonly<Record<string, Subject>> => ({
  QLinearConv: { text: convolutionModel({ input: image, filters: [4, 6, 3, 3] }, options), dims: image },
  'QLinearConv 1×1': { text: convolutionModel({ input: image, filters: [4, 6, 1, 1] }, options), dims: image },
  'QLinearConv of odd channels': {
    text: convolutionModel({ input: [1, 3, 7, 7], filters: [4, 3, 3, 3] }, options),
    dims: [1, 3, 7, 7],
  },
  QLinearMatMul: { text: productModel('MatMul', [32, 6], true, options), dims: [20, 32] },
  MatMulIntegerToFloat: { text: productModel('MatMul', [32, 6], false, options), dims: [20, 32] },
  QGemm: { text: productModel('Gemm', [32, 6], true, options), dims: [20, 32] },
  'QGemm to float': { text: productModel('Gemm', [32, 6], false, options), dims: [20, 32] },
});

/** Exact on every CPU, whatever the weights. */
const alwaysExact: Readonly<Record<string, Subject>> = {
  'one filter for each channel': {
    text: convolutionModel({ input: image, filters: [6, 1, 3, 3], attributes: 'group = 6' }, fullRange),
    dims: image,
  },
  ConvInteger: { text: dynamicConvolutionModel({ input: image, filters: [4, 6, 3, 3] }, fullRange), dims: image },
};

let fusedCount = 0;

/** What the runtime makes of a model before it changes layouts. */
async function fused(text: string): Promise<Model> {
  const path = join(folder, `fused-${fusedCount++}.onnx`);
  const bytes = serializeModel(parseModel(text));
  const options = { optimization: 'extended', optimizedModelPath: path, from: root } as const;
  await (await onnxruntime.createSession({ bytes }, options)).close();
  return loadModelSync(path).model;
}

/** Numbers that quantize to 3 … 253: mostly large. */
function feedOf(dims: readonly number[]): TensorData & { readonly values: Float32Array } {
  const random = seededRandom(8);
  const count = dims.reduce((a, b) => a * b, 1);
  const values = Float32Array.from({ length: count }, () => 5 * Math.sqrt(random.next()));
  return { elementType: 'float32', dims, bytes: new Uint8Array(values.buffer), values };
}

/** Wrong integer outputs of each subject. */
async function countWrong(all: Readonly<Record<string, Subject>>): Promise<Record<string, Outcome>> {
  const jobs: Job[] = [];
  for (const { text, dims } of Object.values(all)) {
    const model = await fused(text);
    const { taps, notTapped } = tapIntegerProducts(model);
    expect({ taps: taps.length, notTapped }).toEqual({ taps: 1, notTapped: 0 });
    jobs.push({ model, taps, feeds: { x: feedOf(dims) } });
  }
  const outcomes = emulate('Haswell', jobs);
  return Object.fromEntries(Object.keys(all).map((name, index) => [name, outcomes[index] as Outcome]));
}

const bytesOf = (base64: string | undefined): Uint8Array => new Uint8Array(Buffer.from(base64 ?? '', 'base64'));

describe.skipIf(!hasEmulator)('the check of integers on an emulated CPU with AVX2 and without VNNI', () => {
  it('finds that weights of the full range saturate, in every kernel that adds pairs in 16 bits', async () => {
    const results = await countWrong({ ...subjects(fullRange), ...alwaysExact });
    for (const name of Object.keys(subjects(fullRange))) {
      const { wrong, outputs } = results[name] as Outcome;
      expect([name, wrong > 0.2 * outputs]).toEqual([name, true]);
    }
    for (const name of Object.keys(alwaysExact)) expect([name, results[name]?.wrong]).toEqual([name, 0]);
  });

  it('finds nothing where no pair of weights can saturate', async () => {
    const results = await countWrong(subjects(sevenBits));
    for (const [name, { wrong }] of Object.entries(results)) expect([name, wrong]).toEqual([name, 0]);
  });
});

/** Inputs of some matrix products of a trained model, with their weights in the full range. */
async function realLayers(path: string, wanted: readonly number[]) {
  const { model } = loadModelSync(path);
  const products = [...model.graph.nodes()].filter(
    ({ op, inputs }) => op === 'MatMul' && inputs[1] && constantOf(inputs[1]),
  );
  const layers = wanted.map((ordinal) => products[ordinal] as Node);
  const activations = layers.map(({ inputs }) => inputs[0] as Value);
  for (const value of new Set(activations)) model.graph.addOutput(value);
  const session = await onnxruntime.createSession({ bytes: serializeModel(model) }, { from: root });
  const sizes = new Map([['sequence', 12]] as const);
  const results = await session.run(makeInputs(model, { seed: 1, variant: 0, sizes }));
  await session.close();
  return layers.map((node, index) => {
    const weight = constantOf(node.inputs[1] as Value) as ConstantRef;
    const scheme = { elementType: 'int8', granularity: 'channel', range: 'pair-aware' } as const;
    const [matrix] = fullRangeMatrices(node, weight, scheme);
    const { bytes, dims } = results[activations[index]?.name ?? ''] as TensorData;
    const rows: RowSample = { width: dims.at(-1) as number, values: new Float32Array(bytes.slice().buffer) };
    if (!matrix) throw new Error('no matrix');
    return { matrix, rows };
  });
}

describe.skipIf(!hasEmulator)('the analysis of saturation, against an emulated CPU with AVX2 and without VNNI', () => {
  it('counts the wrong outputs of trained layers exactly', async () => {
    const layers = await realLayers(join(root, 'examples/reviews-bert-256/onnx/model.onnx'), [0, 3, 5, 11]);
    const predicted: object[] = [];
    const jobs = layers.map(({ matrix, rows }): Job => {
      const { values, rows: k, columns } = matrix;
      const parameters = asymmetricUint8(Math.min(...rows.values), Math.max(...rows.values));
      const activations = quantizeRows(rows, parameters);
      const { outputs, saturated } = countSaturation(matrix, activations);
      predicted.push({ outputs, wrong: saturated });
      const graph = new Graph('layer');
      const a = graph.addInput(new Value('a', tensorType('uint8', ['m', k])));
      const b = graph.addInitializer(tensorOf('int8', [k, columns], values), 'b');
      const zero = graph.addInitializer(tensorOf('uint8', [], Uint8Array.of(parameters.zeroPoint)), 'zero');
      graph.addOutput(
        addNode(graph, 'MatMulInteger', { inputs: [a, b, zero], outputs: [new Value('y')] }).outputs[0] as Value,
      );
      const model = new Model(graph);
      model.irVersion = 8;
      model.requireOpset('', 17);
      const { taps } = tapIntegerProducts(model);
      return {
        model,
        taps,
        feeds: { a: { elementType: 'uint8', dims: [activations.length / k, k], bytes: activations } },
      };
    });
    const outcomes = emulate('Haswell', jobs);
    expect(outcomes).toMatchObject(predicted);
    expect(outcomes.reduce((sum, { wrong }) => sum + wrong, 0)).toBeGreaterThan(0);
  });

  it.each([
    ['even channels', { input: [1, 4, 5, 6], filters: [4, 4, 3, 2], groups: 1 }],
    ['odd channels, whose pairs reach over pixels', { input: [2, 3, 5, 6], filters: [2, 3, 3, 2], groups: 1 }],
    ['groups of odd channels', { input: [1, 6, 5, 6], filters: [4, 3, 3, 2], groups: 2 }],
  ] as const)('knows every output of a convolution that saturates: %s', async (_, { input, filters, groups }) => {
    const attributes = `group = ${groups}, pads = [1, 0, 1, 2], strides = [1, 2], dilations = [1, 2]`;
    const model = await fused(convolutionModel({ input, filters, attributes, hasBias: false }, fullRange));
    const node = [...model.graph.nodes()].find(({ op }) => op === 'QLinearConv') as Node;
    const output = node.outputs[0] as Value;
    output.type = tensorType('uint8');
    model.graph.addOutput(output);
    const x = feedOf(input);
    const [outcome] = emulate('Haswell', [{ model, taps: [], feeds: { x }, fetch: [output.name ?? ''] }]);
    const computed = bytesOf(outcome?.fetched[output.name ?? '']);
    const geometry = { kernel: [3, 2], pads: [1, 0, 1, 2], strides: [1, 2], dilations: [1, 2], groups } as const;
    const predicted = predictConvolution(node, x.values, input, filters, geometry);
    expect(computed).toEqual(predicted.saturating);
    expect(computed.filter((value, index) => value !== predicted.exact[index]).length).toBeGreaterThan(5);
  });
});

/** Outputs of QLinearConv as saturating and as exact kernels compute them, [N, O, H, W]. */
function predictConvolution(
  node: Node,
  values: Float32Array,
  input: readonly [number, number, number, number],
  filters: readonly [number, number, number, number],
  geometry: Parameters<typeof convolutionRows>[2],
) {
  const floats = (index: number): Float32Array =>
    new Float32Array(
      storedTensor(node.inputs[index] as Value)
        ?.bytes()
        .slice().buffer ?? [],
    );
  const parameters = { scale: floats(1)[0] as number, zeroPoint: 3 };
  const stored = new Int8Array(
    storedTensor(node.inputs[3] as Value)
      ?.bytes()
      .slice().buffer ?? [],
  );
  const matrices = filterMatrices(stored, filters, geometry.groups);
  const rows = convolutionRows(values, input, geometry).map((sample) => quantizeRows(sample, parameters));
  const positions = (rows[0] as Uint8Array).length / (matrices[0]?.rows ?? 1);
  const plane = positions / input[0];
  const saturating = new Uint8Array(positions * filters[0]);
  const exact = new Uint8Array(saturating.length);
  for (const [group, matrix] of matrices.entries()) {
    const { rows: k, columns } = matrix;
    for (let position = 0; position < positions; position++) {
      for (let column = 0; column < columns; column++) {
        const filter = group * columns + column;
        const weights = matrix.values.filter((_, at) => at % columns === column);
        const a = (rows[group] as Uint8Array).subarray(position * k, (position + 1) * k);
        const product = integerProduct(a, weights, parameters.zeroPoint);
        const scale = (parameters.scale * (floats(4)[filter] as number)) / (floats(6)[0] as number);
        const quantize = (sum: number): number => Math.max(0, Math.min(255, roundHalfEven(sum * scale) + 120));
        const at = (Math.floor(position / plane) * filters[0] + filter) * plane + (position % plane);
        saturating[at] = quantize(product.saturating);
        exact[at] = quantize(product.exact);
      }
    }
  }
  return { saturating, exact };
}
