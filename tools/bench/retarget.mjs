import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { interleave } from './lib/interleave.mjs';
import { runMeasured } from './lib/measured-process.mjs';
import { describeOpponent, opponentPython } from './lib/opponent.mjs';
import { core, coreNode, onnxruntime, program, root } from './lib/packages.mjs';
import { formatSpread, median, ratiosOf, spreadOf } from './lib/statistics.mjs';
import { cacheFolder, generatedModel, withMemoryFolder } from './lib/subjects.mjs';
import { saturates, workFor } from './retarget/forms.mjs';

const sequence = 128;
const repetitions = 3;
const seed = 20_260_101;
const script = join(root, 'tools/bench/opponent/published.py');

/** Published files, retargeted: both timed in one run, and compared with float32. */
export async function run({ rounds, only, environment, log }) {
  const size = only?.find((name) => ['tiny', 'bert-base'].includes(name)) ?? 'bert-base';
  const float32 = await generatedModel(size, log);
  const feeds = makeFeeds(float32);
  const config = saturates(environment.cpuClass) ? { 'session.x64quantprecision': '1' } : {};
  const context = {
    size,
    float32,
    feeds,
    rounds,
    log,
    python: opponentPython(),
    config,
    expected: await outputsOf(float32, { feeds, config }),
  };
  const results = [];
  for (const { published, target } of workFor(environment.cpuClass)) {
    for (const one of published) {
      if (only && !only.some((name) => name === size || one.form.includes(name))) continue;
      log(`${one.form}${target ? ` for ${target}` : ''}`);
      results.push({ ...one, target, ...(await withMemoryFolder((folder) => treat(one, target, folder, context))) });
    }
  }
  return {
    rounds,
    tables: [
      {
        columns: ['published file', 'for', 'speed-up', 'reach', 'predicted', 'identical at', 'error against float32'],
        rows: results.map(rowOf),
      },
    ],
    notes: [
      `${size} at 1×${sequence}, one thread; each round is the median of ${repetitions} runs of either file. Published by ${describeOpponent(context.python)}. Errors are relative, of the first output, with exact integer products: published file → retargeted file.`,
    ],
    failures: results.flatMap(failuresOf),
    data: results,
  };
}

/** The published file, made once. */
async function publishedFile(form, { size, float32, python, log }) {
  const path = join(cacheFolder('published', size), `${form}.onnx`);
  if (existsSync(path)) return path;
  log(`quantizing with Python: ${form}`);
  const staging = `${path}.${process.pid}.staging`;
  await runMeasured(python, [script, float32, staging, form]);
  renameSync(staging, path);
  return path;
}

async function treat({ form, noWorseThan }, target, folder, context) {
  const input = await publishedFile(form, context);
  const output = join(folder, 'retargeted.onnx');
  const flags = ['--no-timing', '--json', ...(target ? ['--target', target] : [])];
  const report = await retarget([input, '-o', output, ...flags]);
  if (report.error) return { left: report.error.message };
  const [{ actions, verification }] = report.sessions;
  const samples = target ? undefined : await timeBoth(input, output, context);
  const errorOf = async (path) => relativeError(context.expected, await outputsOf(path, context));
  return {
    actions: actions.map(({ nodes, ...action }) => ({ ...action, nodes: nodes.length })),
    identity: verification.identity,
    wrong: verification.integers.wrong,
    samples,
    speedup: samples && ratiosOf(samples.published, samples.retargeted),
    errors: { before: await errorOf(input), after: await errorOf(output) },
    bound: noWorseThan && (await errorOf(await publishedFile(noWorseThan, context))),
  };
}

/** The report, or the error that says why nothing is gained. */
async function retarget(args) {
  try {
    const { stdout } = await runMeasured(process.execPath, [program, 'retarget', ...args]);
    return JSON.parse(stdout);
  } catch (error) {
    if (!String(error).includes('E_NOTHING_GAINED')) throw error;
    return { error: { message: 'nothing is gained' } };
  }
}

async function withSessions(paths, work, config = {}) {
  const sessions = await Promise.all(paths.map((path) => onnxruntime.createSession({ path }, { threads: 1, config })));
  try {
    return await work(sessions);
  } finally {
    for (const session of sessions) await session.close();
  }
}

const timeBoth = (input, output, { feeds, rounds, log }) =>
  withSessions([input, output], ([published, retargeted]) => {
    const timed = (session) => async () => median(await session.time(feeds, repetitions));
    return interleave({ published: timed(published), retargeted: timed(retargeted) }, rounds, log);
  });

/** Where kernels saturate, exact ones, so that an error is that of the weights and not of this CPU. */
const outputsOf = (path, { feeds, config }) => withSessions([path], ([session]) => session.run(feeds), config);

function relativeError(expected, actual) {
  const [[name, sums]] = core.compareOutputs(expected, actual);
  return core.differenceOf(name, sums).relativeError;
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

function rowOf({ form, target, least, left, actions, identity, speedup, samples, errors, bound }) {
  const place = target ?? 'this machine';
  if (left) return [form, place, `left as it is: ${left}`, '', '', '', ''];
  const gains = [...new Set(actions.map(({ predictedGain }) => predictedGain?.toFixed(2) ?? 'not known'))];
  const times = samples
    ? `${formatSpread(speedup, 2, '×')} (${spreadOf(samples.published).median.toFixed(1)} → ${spreadOf(samples.retargeted).median.toFixed(1)} ms)`
    : 'not here';
  const error = `${errors.before.toPrecision(3)} → ${errors.after.toPrecision(3)}`;
  return [
    form,
    place,
    times,
    least && samples ? `≥ ${least}×` : '',
    gains.join(', '),
    identity ? identity.identicalAt.join(', ') : '',
    bound === undefined ? error : `${error} (7-bit file ${bound.toPrecision(3)})`,
  ];
}

function failuresOf({ form, least, isIdentical, isLeft, left, identity, wrong, speedup, errors, bound }) {
  if (left) return isLeft ? [] : [`${form}: left as it is`];
  const problems = isLeft ? ['something was done, though nothing is gained'] : [];
  if (least && speedup && speedup.median < least) problems.push(`${speedup.median.toFixed(2)}×, below ${least}×`);
  if (isIdentical && identity?.identicalAt.length !== 4) problems.push('outputs are not identical at every level');
  if (wrong > 0) problems.push(`${wrong} wrong integer outputs`);
  if (bound !== undefined && errors.after > bound)
    problems.push(`error ${errors.after.toPrecision(3)}, above ${bound.toPrecision(3)} of the 7-bit file`);
  return problems.map((problem) => `${form}: ${problem}`);
}
