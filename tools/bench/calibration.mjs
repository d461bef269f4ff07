import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { interleave } from './lib/interleave.mjs';
import { runMeasuredTree } from './lib/measured-tree.mjs';
import { describeOpponent, opponentPython } from './lib/opponent.mjs';
import { core, onnxruntime, program, root } from './lib/packages.mjs';
import { formatSpread, ratiosOf, spreadOf } from './lib/statistics.mjs';
import { filesOfModel, generatedModel, warmCache, withMemoryFolder } from './lib/subjects.mjs';

const [sequence, vocabulary, most, few] = [128, 20_000, 32, 4];
const methods = ['percentile', 'entropy'];
const goal = { faster: 2.5, leaner: 5, ofInference: 1.25, setUpMs: 500, residentBytes: 1e9 };

/** Calibration of bert-base at 1×128 on one thread, against bare inference and against Python's. */
export async function run({ rounds, log }) {
  const python = opponentPython();
  const model = await generatedModel('bert-base', log);
  warmCache(filesOfModel(model));
  return withMemoryFolder(async (folder) => {
    const data = writeSamples(folder);
    const samples = await interleave(contestantsOf(python, model, data, folder), rounds, log);
    const rows = methods.map((method) => compare(method, samples));
    return {
      rounds,
      tables: [
        {
          columns: [
            'method',
            'who',
            `${most} samples, whole command`,
            'peak memory',
            `peak, ${few} samples`,
            'faster',
            'leaner',
          ],
          rows: rows.flatMap(({ rows: lines }) => lines),
        },
        {
          columns: ['method', 'collecting against bare inference', 'set-up'],
          rows: rows.map(({ against }) => against),
        },
      ],
      notes: [
        `Opponent: ${describeOpponent(python).replace(/, quantize_dynamic.*/, '')}, create_calibrator on the tensors of MatMul nodes, ORT_INTRA_OP_NUM_THREADS=1. Ours: inputs of the products that static quantization would make integer. Peak memory is the sum over all processes of the command.`,
      ],
      failures: rows.flatMap(({ failures }) => failures),
      data: samples,
    };
  });
}

/** The same token ids for both: a file of int64 for Python, JSON lines for us. */
function writeSamples(folder) {
  const random = core.seededRandom(4);
  const ids = Array.from({ length: most }, () =>
    Array.from({ length: sequence }, () => 1000 + random.integer(vocabulary)),
  );
  const binary = join(folder, 'samples.bin');
  writeFileSync(binary, new Uint8Array(BigInt64Array.from(ids.flat(), BigInt).buffer));
  const lines = join(folder, 'samples.jsonl');
  const line = (row) =>
    JSON.stringify({ input_ids: [row], attention_mask: [row.map(() => 1)], token_type_ids: [row.map(() => 0)] });
  writeFileSync(lines, `${ids.map(line).join('\n')}\n`);
  return { binary, lines, ids };
}

function contestantsOf(python, model, data, folder) {
  const script = join(root, 'tools/bench/opponent/calibrate.py');
  const contestants = { 'bare inference': () => bareInference(model, data.ids) };
  for (const method of methods) {
    for (const count of [most, few]) {
      contestants[`python ${method} ${count}`] = () => {
        const scratch = join(folder, 'augmented.onnx');
        rmSync(scratch, { force: true });
        const env = { ORT_INTRA_OP_NUM_THREADS: '1' };
        return runMeasuredTree(python, [script, model, data.binary, method, String(count), scratch], { env });
      };
      contestants[`optimum ${method} ${count}`] = () => calibrate(model, data, method, count, folder);
    }
  }
  return contestants;
}

async function calibrate(model, data, method, count, folder) {
  const output = join(folder, 'statistics.json');
  const flags = ['--data', data.lines, '--samples', String(count), '--method', method, '--threads', '1'];
  const sample = await runMeasuredTree(process.execPath, [
    program,
    'calibrate',
    model,
    '-o',
    output,
    '--force',
    '--json',
    ...flags,
  ]);
  const { samples } = Object.values(JSON.parse(readFileSync(output, 'utf8')).sessions)[0];
  if (samples !== count) throw new Error(`${samples} samples were calibrated, not ${count}`);
  return { ...sample, report: JSON.parse(sample.stdout).sessions[0] };
}

/** The float model alone, in a session as calibration uses it. */
async function bareInference(model, ids) {
  const session = await onnxruntime.createSession({ path: model }, { threads: 1 });
  const tensor = (row) => ({
    elementType: 'int64',
    dims: [1, row.length],
    bytes: new Uint8Array(BigInt64Array.from(row, BigInt).buffer),
  });
  try {
    let wallMs = 0;
    for (const row of ids) {
      const feeds = {
        input_ids: tensor(row),
        attention_mask: tensor(row.map(() => 1)),
        token_type_ids: tensor(row.map(() => 0)),
      };
      wallMs += (await session.time(feeds, 1))[0];
    }
    return { wallMs };
  } finally {
    await session.close();
  }
}

function compare(method, samples) {
  const of = (who, count, field) => samples[`${who} ${method} ${count}`].map((sample) => sample[field]);
  const faster = ratiosOf(of('python', most, 'wallMs'), of('optimum', most, 'wallMs'));
  const leaner = ratiosOf(of('python', most, 'residentBytes'), of('optimum', most, 'residentBytes'));
  const reports = samples[`optimum ${method} ${most}`].map(({ report }) => report);
  const bare = samples['bare inference'].map(({ wallMs }) => wallMs);
  const ofInference = ratiosOf(
    reports.map(({ collectMs }) => collectMs),
    bare,
  );
  const setUp = spreadOf(reports.map(({ setUpMs }) => setUpMs));
  const peak = (who, count) => Math.max(...of(who, count, 'residentBytes'));
  const row = (who, ...ratios) => [
    method,
    who,
    formatSpread(spreadOf(of(who, most, 'wallMs')), 0, ' ms'),
    `${(peak(who, most) / 1e6).toFixed(0)} MB`,
    `${(peak(who, few) / 1e6).toFixed(0)} MB`,
    ...ratios,
  ];
  return {
    rows: [row('python', '', ''), row('optimum', formatSpread(faster, 1, '×'), formatSpread(leaner, 1, '×'))],
    against: [method, formatSpread(ofInference, 2, '×'), formatSpread(setUp, 0, ' ms')],
    failures: [
      ...(faster.median < goal.faster ? [`${method}: ${faster.median.toFixed(1)}× faster`] : []),
      ...(leaner.median < goal.leaner ? [`${method}: ${leaner.median.toFixed(1)}× leaner`] : []),
      ...(ofInference.median > goal.ofInference
        ? [`${method}: ${ofInference.median.toFixed(2)}× of bare inference`]
        : []),
      ...(setUp.median > goal.setUpMs ? [`${method}: set-up took ${setUp.median.toFixed(0)} ms`] : []),
      ...(peak('optimum', most) > goal.residentBytes
        ? [`${method}: ${(peak('optimum', most) / 1e6).toFixed(0)} MB`]
        : []),
    ],
  };
}
