import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { runMeasured } from './lib/measured-process.mjs';
import { core, coreNode, onnxruntime, program, programFolder, root } from './lib/packages.mjs';
import { withMemoryFolder, zooFolder } from './lib/subjects.mjs';
import { addProbes, integerLayers } from './saturation/integer-layers.mjs';
import { predictLayers } from './saturation/predict-layers.mjs';

const emulator = ['qemu-x86_64', '-cpu', 'Haswell'];
const seed = 20_260_101;
const runner = join(root, 'tools/bench/emulated/run-taps.mjs');
/** CPUs whose own kernels add pairs in 16 bits. */
const saturatingClasses = ['avx2', 'avx512'];

const subjects = () => ({
  'reviews-bert': join(zooFolder(), 'own/reviews-bert/onnx/model.onnx'),
  'bert-sst2': join(zooFolder(), 'models/bert-sst2.onnx'),
  'all-MiniLM-L6-v2': join(zooFolder(), 'models/minilm/onnx/model.onnx'),
  'digits-vit': join(zooFolder(), 'own/digits-vit/onnx/model.onnx'),
  'vit-mnist': join(zooFolder(), 'models/vit-mnist.onnx'),
  'fsdd-kwt': join(zooFolder(), 'models/fsdd-kwt.onnx'),
});

/** Weights of the full range, as for a CPU with VNNI; static in the form whose operators are in the file. */
const modes = {
  dynamic: ['--mode', 'dynamic'],
  static: ['--mode', 'static', '--form', 'qoperator'],
};

/** Which layers saturate, as predicted and as they really do. */
export async function run({ only, environment, log }) {
  const isNative = saturatingClasses.includes(environment.cpuClass);
  if (!isNative) requireEmulator();
  const results = [];
  for (const [model, input] of Object.entries(subjects())) {
    if (only && !only.some((text) => model.includes(text))) continue;
    for (const [mode, flags] of Object.entries(modes)) {
      log(`${model}, ${mode}`);
      const layers = await withMemoryFolder((folder) => judge(input, flags, folder, isNative));
      results.push({ model, mode, layers, ...summaryOf(layers) });
    }
  }
  return {
    tables: [{ columns, rows: results.map(rowOf) }],
    notes: [
      `Weights of the full range on ${isNative ? 'this CPU, which has no VNNI' : `${emulator.join(' ')}, which shows ONNX Runtime a CPU with AVX2 and without VNNI`}.`,
      'Possible: by the weights alone. Differ at worst: on the activations that the weights stand least (products only).',
      'Observed: by the integer activations of one made-up input. Differ: sums that are not exact. Convolutions hand out 8 bits, which hide small losses: they may be called and not be seen to differ, and their outputs are not counted.',
    ],
    failures: results.flatMap(failuresOf),
    data: results,
  };
}

function requireEmulator() {
  if (process.arch === 'x64' && spawnSync(emulator[0], ['--version']).status === 0) return;
  throw new Error(`This CPU does not saturate, and ${emulator[0]} is not there to show one that does (qemu-user).`);
}

/** @returns {Promise<readonly object[]>} what is called and what is so, layer by layer */
async function judge(input, flags, folder, isNative) {
  const output = join(folder, 'quantized.onnx');
  const options = ['--target', 'cascade-lake', '--no-verify', '--json'];
  const { stdout } = await runMeasured(process.execPath, [
    program,
    'quantize',
    input,
    '-o',
    output,
    ...options,
    ...flags,
  ]);
  const { plan } = JSON.parse(stdout).sessions[0];
  const quantized = coreNode.loadModelSync(output);
  const original = coreNode.loadModelSync(input);
  try {
    // As the command itself does before it plans static integers.
    if (flags.includes('static')) {
      core.canonicalise(original.model);
      core.raiseOpset(original.model);
    }
    const layers = integerLayers(quantized.model, plan);
    const probes = addProbes(quantized.model, layers);
    const seen = await runProbes(quantized.model, probes, folder, isNative);
    const activations = new Map(probes.map(({ id, activation }) => [id, seen.activations[activation]]));
    const predicted = predictLayers(original.model, plan, layers, activations);
    return probes.map(({ id, isConvolution, observed, worst }) => ({
      id,
      isConvolution,
      ...predicted.get(id),
      wrongOutputs: seen.wrong.get(observed),
      ...(worst && { wrongAtWorst: seen.wrong.get(worst) }),
    }));
  } finally {
    quantized.close();
    original.close();
  }
}

/** Runs the model with its probes where pairs are added in 16 bits. */
async function runProbes(model, probes, folder, isNative) {
  const feeds = core.makeInputs(model, { seed, variant: 1 });
  const { taps } = core.tapIntegerProducts(model);
  const path = join(folder, 'probes.onnx');
  writeFileSync(path, core.serializeModel(model));
  const encoded = Object.entries(feeds).map(([name, { elementType, dims, bytes }]) => [
    name,
    { elementType, dims, base64: Buffer.from(bytes).toString('base64') },
  ]);
  const jobs = join(folder, 'jobs.json');
  const fetch = [...new Set(probes.map(({ activation }) => activation))];
  writeFileSync(jobs, JSON.stringify([{ model: path, taps, feeds: Object.fromEntries(encoded), fetch }]));
  const [command, ...args] = isNative ? [process.execPath] : [...emulator, process.execPath, '--jitless'];
  const { stdout } = await runMeasured(command, [...args, runner, await runtimeEntry(), jobs]);
  const [{ layers, fetched, dims }] = JSON.parse(stdout);
  const activations = Object.entries(fetched).map(([name, base64]) => [
    name,
    { dims: dims[name], values: new Uint8Array(Buffer.from(base64, 'base64')) },
  ]);
  return {
    wrong: new Map(layers.map(({ node, wrong }) => [node, wrong])),
    activations: Object.fromEntries(activations),
  };
}

async function runtimeEntry() {
  const status = await onnxruntime.status(programFolder);
  if (status.status !== 'found') throw new Error(status.reason);
  return createRequire(join(programFolder, 'index.js')).resolve('onnxruntime-node');
}

const columns = [
  'model',
  'mode',
  'layers',
  'called possible',
  'differ at worst',
  'called observed',
  'really differ',
  'missed',
  'falsely called',
  'outputs called',
  'outputs that differ',
];

/** Ids of layers that the prediction gets wrong at either level, and of those that it gets right but for the number. */
function summaryOf(layers) {
  const products = layers.filter(({ isConvolution }) => !isConvolution);
  const isMissed = ({ isPossible, calledOutputs, wrongOutputs, wrongAtWorst }) =>
    (wrongOutputs > 0 && !(isPossible && calledOutputs > 0)) || (wrongAtWorst > 0 && !isPossible);
  const isFalse = ({ isPossible, calledOutputs, wrongOutputs, wrongAtWorst }) =>
    (calledOutputs > 0 && wrongOutputs === 0) || (isPossible && wrongAtWorst === 0);
  return {
    missed: layers.filter(isMissed).map(({ id }) => id),
    falselyCalled: products.filter(isFalse).map(({ id }) => id),
    miscounted: products.filter(({ calledOutputs, wrongOutputs }) => calledOutputs !== wrongOutputs),
  };
}

function rowOf({ model, mode, layers, missed, falselyCalled }) {
  const count = (isSo) => layers.filter(isSo).length;
  const sum = (what) => layers.reduce((total, layer) => total + (layer.isConvolution ? 0 : layer[what]), 0);
  return [
    model,
    mode,
    layers.length,
    count(({ isPossible }) => isPossible),
    count(({ wrongAtWorst }) => wrongAtWorst > 0),
    count(({ calledOutputs }) => calledOutputs > 0),
    count(({ wrongOutputs }) => wrongOutputs > 0),
    missed.length,
    falselyCalled.length,
    sum('calledOutputs'),
    sum('wrongOutputs'),
  ].map(String);
}

const failuresOf = ({ model, mode, missed, falselyCalled, miscounted }) =>
  [
    ...missed.map((id) => `${id} saturates and was not called`),
    ...falselyCalled.map((id) => `${id} was called and does not saturate`),
    ...miscounted.map((layer) => `${layer.id}: ${layer.calledOutputs} outputs called, ${layer.wrongOutputs} differ`),
  ].map((problem) => `${model}, ${mode}: ${problem}`);
