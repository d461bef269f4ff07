import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { armMachine, onCore } from './emulated/arm-machine.mjs';
import { writeJobs } from './emulated/write-jobs.mjs';
import { runMeasured } from './lib/measured-process.mjs';
import { program, programFolder, root } from './lib/packages.mjs';
import { withMemoryFolder } from './lib/subjects.mjs';

/**
 * Cores that the emulator knows, the machine whose /proc/cpuinfo they show, and the target that a model is made for. `max` has
 * SME, which no Neoverse core of these has and by which the runtime would take other kernels: it is off.
 */
const cores = [
  { cpu: 'neoverse-n1', record: 'graviton2', target: 'neoverse-n1' },
  { cpu: 'max,sme=off', record: 'graviton3', target: 'neoverse-v1' },
  { cpu: 'max,sme=off', record: 'graviton4', target: 'neoverse-v2' },
];
const model = join(root, 'examples/reviews-bert-256/onnx/model.onnx');
const taps = join(root, 'tools/bench/emulated/run-taps.mjs');
const session = join(root, 'tools/testing/emulated-session.mjs');

/**
 * Integer sums are the same everywhere. Float operators differ in their last bits from one instruction set to another, and an
 * activation that is then rounded to the other of two integers moves the outputs by a part of one of 255 steps.
 */
const outputBound = 1 / 255;

export async function run({ only, log }) {
  const machine = armMachine();
  if (machine.missing) return { rounds: 0, tables: [], notes: [`Skipped: ${machine.missing}`], failures: [], data: [] };
  const chosen = cores.filter(({ target }) => !only || only.some((text) => target.includes(text)));
  const results = [];
  for (const core of chosen) {
    log(core.target);
    results.push({ ...core, ...(await withMemoryFolder((folder) => prove(machine, core, folder))) });
  }
  return report(results);
}

async function prove(machine, core, folder) {
  const quantized = join(folder, 'quantized.onnx');
  // The target is named, and is not this machine: the way of a user on a laptop.
  await inProject(folder, ['quantize', model, '-o', quantized, '--target', core.target, '--no-timing', '--quiet']);
  const entry = createRequire(join(programFolder, 'index.js')).resolve('onnxruntime-node');
  const jobs = await writeJobs(quantized, folder);
  const onArm = async (args) => (await runMeasured(...onCore(machine, core, args))).stdout;
  const here = async (args) => (await runMeasured(process.execPath, args)).stdout;
  const [sums] = JSON.parse(await onArm([taps, entry, jobs]));
  const outputs = {};
  const { feeds } = JSON.parse(readFileSync(jobs, 'utf8'))[0];
  for (const [place, runIt] of Object.entries({ arm: onArm, here })) {
    const [job, result] = [join(folder, `${place}-job.json`), join(folder, `${place}.json`)];
    const options = { intraOpNumThreads: 1, interOpNumThreads: 1, graphOptimizationLevel: 'all' };
    writeFileSync(job, JSON.stringify({ model: quantized, feeds, options }));
    await runIt([session, entry, job, result]);
    outputs[place] = JSON.parse(readFileSync(result, 'utf8'));
  }
  return { wrong: sums.wrong, integers: sums.outputs, difference: differenceOf(outputs.arm, outputs.here) };
}

/** Runs the program in a project that has the backend, as a user has it. */
async function inProject(folder, args) {
  const dependencies = { '@optimum/backend-arm-neoverse': '*' };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }));
  mkdirSync(join(folder, 'node_modules/@optimum'), { recursive: true });
  symlinkSync(
    join(root, 'packages/backend-arm-neoverse'),
    join(folder, 'node_modules/@optimum/backend-arm-neoverse'),
    'junction',
  );
  await runMeasured(process.execPath, [program, ...args], { cwd: folder });
}

/** Root mean square of the difference, against that of the outputs here; over all float outputs. */
function differenceOf(arm, here) {
  const floats = ({ base64 }) => {
    const bytes = new Uint8Array(Buffer.from(base64, 'base64'));
    return new Float32Array(bytes.buffer, 0, bytes.byteLength >> 2);
  };
  let [difference, size] = [0, 0];
  for (const name of Object.keys(here)) {
    const [a, b] = [floats(arm[name]), floats(here[name])];
    for (let index = 0; index < b.length; index++) {
      difference += (a[index] - b[index]) ** 2;
      size += b[index] ** 2;
    }
  }
  return Math.sqrt(difference / size);
}

function report(results) {
  return {
    rounds: 0,
    tables: [
      {
        columns: [
          'target',
          'emulated core',
          'wrong integer outputs',
          'integer outputs',
          'outputs against x86-64, relative',
        ],
        rows: results.map(({ target, cpu, wrong, integers, difference }) => [
          target,
          cpu,
          String(wrong),
          String(integers),
          difference.toExponential(1),
        ]),
      },
    ],
    notes: ['An emulator tells what is right, never what is fast.'],
    failures: results.flatMap(({ target, wrong, difference }) => [
      ...(wrong > 0 ? [`${target}: ${wrong} integer outputs are wrong`] : []),
      ...(difference <= outputBound ? [] : [`${target}: outputs are ${difference} away from those on x86-64`]),
    ]),
    data: results,
  };
}
