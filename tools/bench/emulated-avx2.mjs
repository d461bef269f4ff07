import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { writeJobs } from './emulated/write-jobs.mjs';
import { runMeasured } from './lib/measured-process.mjs';
import { onnxruntime, program, programFolder, root } from './lib/packages.mjs';
import { withMemoryFolder, zooFolder } from './lib/subjects.mjs';

const emulator = 'qemu-x86_64';
const cpu = 'Haswell';
const runner = join(root, 'tools/bench/emulated/run-taps.mjs');

/** Ways to quantize: for CPUs without VNNI, for one with it, and as Python's tool does. */
const dynamic = [
  { name: 'pair-aware (--target portable)', flags: ['--target', 'portable'], isExact: true },
  { name: 'full range (--target cascade-lake)', flags: ['--target', 'cascade-lake'], isExact: false },
  { name: '--recipe compatible-per-channel', flags: ['--recipe', 'compatible-per-channel'], isExact: false },
];

/** With ranges of made-up inputs: whether sums saturate does not depend on how good they are. */
const fixed = dynamic.slice(0, 2).map(({ name, flags, isExact }) => ({
  name: `static, ${name}`,
  flags: [...flags, '--mode', 'static'],
  isExact,
}));

const subjects = () => ({
  'reviews-bert-256': join(root, 'examples/reviews-bert-256/onnx/model.onnx'),
  'bert-sst2': join(zooFolder(), 'models/bert-sst2.onnx'),
  'fsdd-kwt': join(zooFolder(), 'models/fsdd-kwt.onnx'),
  'vit-mnist': join(zooFolder(), 'models/vit-mnist.onnx'),
  'ppocr-v4-rec': join(zooFolder(), 'models/ppocr-v4-rec.onnx'),
});

/** A model of convolutions has nothing for dynamic integers to do. */
const variantsOf = (model) => (model === 'ppocr-v4-rec' ? fixed : [...dynamic, ...fixed]);

export async function run({ only, log }) {
  requireEmulator();
  const results = [];
  for (const [model, input] of Object.entries(subjects())) {
    if (only && !only.some((text) => model.includes(text))) continue;
    for (const variant of variantsOf(model)) {
      log(`${model}, ${variant.name}`);
      results.push({ model, ...variant, ...(await withMemoryFolder((folder) => prove(input, variant, folder))) });
    }
  }
  const columns = ['model', 'weights', `wrong on an emulated ${cpu}`, 'wrong on this machine', 'integer outputs'];
  const share = ({ wrong, outputs }) => `${wrong} (${((100 * wrong) / outputs).toFixed(2)} %)`;
  return {
    tables: [
      {
        columns,
        rows: results.map(({ model, name, emulated, native }) => [
          model,
          name,
          share(emulated),
          share(native),
          String(emulated.outputs),
        ]),
      },
    ],
    notes: [
      `${emulator} -cpu ${cpu} shows ONNX Runtime a CPU with AVX2 and without VNNI, whose 8-bit products add pairs in 16 bits. It tells what is right, never what is fast.`,
    ],
    failures: results
      .filter(({ isExact, emulated }) => isExact && emulated.wrong > 0)
      .map(({ model, name, emulated }) => `${model}, ${name}: ${emulated.wrong} integer outputs are wrong`),
    data: results,
  };
}

function requireEmulator() {
  if (spawnSync(emulator, ['--version']).status === 0) return;
  throw new Error(`${emulator} is not installed (Debian: apt-get install qemu-user); only this comparison needs it.`);
}

async function prove(input, { flags }, folder) {
  const quantized = join(folder, 'quantized.onnx');
  await runMeasured(process.execPath, [
    program,
    'quantize',
    input,
    '-o',
    quantized,
    '--no-verify',
    '--quiet',
    ...flags,
  ]);
  const { entry } = await locate();
  const args = [runner, entry, await writeJobs(quantized, folder)];
  const native = await runMeasured(process.execPath, args);
  // The emulator has no executable memory for the engine's compiler to write to at speed.
  const emulated = await runMeasured(emulator, ['-cpu', cpu, process.execPath, '--jitless', ...args]);
  return { native: JSON.parse(native.stdout)[0], emulated: JSON.parse(emulated.stdout)[0] };
}

async function locate() {
  const status = await onnxruntime.status(programFolder);
  if (status.status !== 'found') throw new Error(status.reason);
  return { entry: createRequire(join(programFolder, 'index.js')).resolve('onnxruntime-node') };
}
