import { basename, join } from 'node:path';
import { interleave } from './lib/interleave.mjs';
import { runMeasured } from './lib/measured-process.mjs';
import { core, coreNode, onnxruntime, program } from './lib/packages.mjs';
import { formatSpread, median, ratiosOf, spreadOf } from './lib/statistics.mjs';
import { generatedModel, withMemoryFolder } from './lib/subjects.mjs';

/** Goals by class of the CPU; other classes are shown without one. */
const limits = { 'avx512-vnni': 3.1, 'avx-vnni': 3.1, avx512: 1.75, avx2: 1.75 };
const sequence = 128;
const repetitions = 3;
const seed = 20_260_101;

export async function run({ rounds, only, environment, log }) {
  const size = only?.[0] ?? 'bert-base';
  const input = await generatedModel(size, log);
  return withMemoryFolder(async (folder) => {
    const output = join(folder, basename(input));
    log('quantizing, with the proof');
    const { stdout } = await runMeasured(process.execPath, [program, 'quantize', input, '-o', output, '--json']);
    const samples = await timeBoth(input, output, rounds, log);
    return resultOf(size, JSON.parse(stdout), samples, environment.cpuClass, rounds);
  });
}

async function timeBoth(original, quantized, rounds, log) {
  const feeds = makeFeeds(original);
  const sessions = {
    float32: await onnxruntime.createSession({ path: original }, { threads: 1 }),
    int8: await onnxruntime.createSession({ path: quantized }, { threads: 1 }),
  };
  try {
    const timed = (name) => async () => median(await sessions[name].time(feeds, repetitions));
    return await interleave({ float32: timed('float32'), int8: timed('int8') }, rounds, log);
  } finally {
    for (const session of Object.values(sessions)) await session.close();
  }
}

function makeFeeds(path) {
  const loaded = coreNode.loadModelSync(path);
  const sizes = new Map([
    ['sequence', sequence],
    ['batch', 1],
  ]);
  const feeds = core.makeInputs(loaded.model, { seed, variant: 0, sizes });
  loaded.close();
  return feeds;
}

function resultOf(size, report, samples, cpuClass, rounds) {
  const { verification, operators } = report.sessions[0];
  const speedup = ratiosOf(samples.float32, samples.int8);
  const limit = limits[cpuClass];
  const { wrong, outputs, nodes } = verification.integers;
  const row = (name, ...rest) => [name, formatSpread(spreadOf(samples[name]), 1, ' ms'), ...rest];
  const integer = `${operators.MatMul.integer} of ${operators.MatMul.total} MatMul`;
  const failures = [];
  if (limit && speedup.median < limit) failures.push(`int8 is ${speedup.median.toFixed(2)}× as fast, below ${limit}×`);
  if (wrong > 0) failures.push(`${wrong} of ${outputs} integer outputs are wrong`);
  return {
    rounds,
    tables: [
      {
        columns: ['file', `latency 1×${sequence}, one thread`, 'speed-up', 'reach', 'wrong integer outputs', 'integer'],
        rows: [
          row('float32', '1', '', '', ''),
          row(
            'int8',
            formatSpread(speedup, 2, '×'),
            limit ? `≥ ${limit}×` : '',
            `${wrong} of ${outputs} (${nodes} products)`,
            integer,
          ),
        ],
      },
    ],
    notes: [
      `${size}, target ${report.target.id}, recipe ${report.recipe}; each round is the median of ${repetitions} runs of either file; relative error ${verification.relativeError.toPrecision(2)}, cosine ${verification.cosine.toFixed(5)}.`,
    ],
    failures,
    data: { samples, report },
  };
}
