import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeCandidates } from './fastest/candidates.mjs';
import { errorOf, wrongIntegersOf } from './fastest/compare-files.mjs';
import { interleave } from './lib/interleave.mjs';
import { runMeasured } from './lib/measured-process.mjs';
import { describeOpponent, opponentPython } from './lib/opponent.mjs';
import { core, coreNode, onnxruntime, program, programFolder } from './lib/packages.mjs';
import { formatSpread, median, ratiosOf, spreadOf } from './lib/statistics.mjs';
import { generatedModel, withMemoryFolder } from './lib/subjects.mjs';

/** Goals by class of the CPU: against float32, and against the fastest of Python's files. */
const goals = {
  'avx512-vnni': { float32: 3.1, opponent: 1.05 },
  'avx-vnni': { float32: 3.1, opponent: 1.05 },
  avx512: { float32: 1.75, opponent: 1 },
  avx2: { float32: 1.75, opponent: 1 },
};
const sequence = 128;
const repetitions = 3;
/** Files of either side that are timed again, next to each other: files far apart in a round meet other moods of the machine. */
const finalists = 2;
const seed = 20_260_101;
/** Inputs on which errors are measured; the first is the one that is timed. */
const errorInputs = 3;

/** Recipes of ours that stand against theirs. Ranges come from the same number of random samples as Python's. */
const recipes = [
  { recipe: 'latency', flags: [] },
  { recipe: 'static', flags: ['--mode', 'static'] },
  { recipe: 'auto', flags: ['--mode', 'auto'] },
];

/** @typedef {{ name: string, isOurs: boolean, path: string, bytes: number, config: Record<string, string>, integers?: object }} Contestant */

/** Our fastest file of bert-base at 1×128 on one thread against every file that Python's tools make of it. */
export async function run({ rounds, only, environment, log }) {
  const python = opponentPython();
  const input = await generatedModel('bert-base', log);
  return withMemoryFolder(async (folder) => {
    const ours = [];
    for (const recipe of recipes) ours.push(await makeOurs(input, recipe, folder, log));
    const theirs = await makeCandidates(python, input, join(made(folder, 'python')), only, log);
    const feeds = makeFeeds(input);
    const contestants = [...ours, ...theirs.files];
    const measured = await measure(input, contestants, feeds, rounds, log);
    for (const one of measured.files) one.integers = await wrongIntegersOf(one.path, feeds[0], folder);
    return resultOf({ ...measured, problems: [...theirs.problems, ...measured.problems], python, environment, rounds });
  });
}

function made(...names) {
  const folder = join(...names);
  mkdirSync(folder, { recursive: true });
  return folder;
}

async function makeOurs(input, { recipe, flags }, folder, log) {
  log(`ours, recipe ${recipe}`);
  const path = join(made(folder, 'ours', recipe), 'model.onnx');
  const command = [program, 'quantize', input, '-o', path, '--recipe', recipe, ...flags, '--no-verify', '--json'];
  const report = JSON.parse((await runMeasured(process.execPath, command)).stdout);
  const { bytes } = report.sessions[0];
  return { name: `optimum, recipe ${recipe}`, isOurs: true, path, bytes: bytes.after, config: await sessionOf(recipe) };
}

/** The session entries with which the recipe says that its model should be run. */
async function sessionOf(recipe) {
  const preparation = await coreNode.prepare({ recipe, programFolder });
  return preparation.recipe.session;
}

function makeFeeds(path) {
  const loaded = coreNode.loadModelSync(path);
  const sizes = new Map([
    ['sequence', sequence],
    ['batch', 1],
  ]);
  const feeds = Array.from({ length: errorInputs }, (_, index) =>
    core.makeInputs(loaded.model, { seed: seed + index, variant: 0, sizes }),
  );
  loaded.close();
  return feeds;
}

/** Loads all of them at once, so that one run times them in turn; what does not load is a problem and no contestant. */
async function measure(input, contestants, feeds, rounds, log) {
  const sessions = new Map();
  const problems = [];
  const open = (path, config) => onnxruntime.createSession({ path }, { threads: 1, config, from: programFolder });
  try {
    const float32 = await open(input, {});
    sessions.set('float32', float32);
    const expected = [];
    for (const one of feeds) expected.push(await float32.run(one));
    const files = [];
    for (const contestant of contestants) {
      log(`loading ${contestant.name}`);
      try {
        const session = await open(contestant.path, contestant.config);
        sessions.set(contestant.name, session);
        files.push({ ...contestant, error: await errorOf(session, feeds, expected) });
      } catch (error) {
        problems.push({ name: contestant.name, problem: error.message });
      }
    }
    const timed = ([name, session]) => [name, async () => median(await session.time(feeds[0], repetitions))];
    const race = (entries, count) => interleave(Object.fromEntries(entries.map(timed)), count, log);
    log('all files');
    const screened = await race([...sessions], Math.ceil(rounds / 3));
    const names = finalistsOf(files, screened);
    log(`final: ${names.join(' | ')}`);
    const samples = await race(
      [...sessions].filter(([name]) => name === 'float32' || names.includes(name)),
      rounds,
    );
    return { files, screened, samples, problems };
  } finally {
    for (const session of sessions.values()) await session.close();
  }
}

/** Names of the fastest files of either side: they are timed again, next to each other. */
function finalistsOf(files, samples) {
  const byTime = sortedByTime(files, samples);
  const fastest = (isOurs) => byTime.filter((file) => file.isOurs === isOurs).slice(0, finalists);
  return [...fastest(true), ...fastest(false)].map(({ name }) => name);
}

const sortedByTime = (files, samples) => [...files].sort((a, b) => median(samples[a.name]) - median(samples[b.name]));

function resultOf({ files, screened, samples, problems, python, environment, rounds }) {
  const goal = goals[environment.cpuClass];
  const inFinal = sortedByTime(
    files.filter(({ name }) => name in samples),
    samples,
  );
  const ours = inFinal.find(({ isOurs }) => isOurs);
  const theirs = inFinal.find(({ isOurs }) => !isOurs);
  const against = {
    float32: ratiosOf(samples.float32, samples[ours.name]),
    opponent: theirs && ratiosOf(samples[theirs.name], samples[ours.name]),
  };
  return {
    rounds,
    tables: [
      {
        title: 'Our fastest file',
        columns: ['against', 'speed-up', 'reach', 'error of ours', 'error of theirs', 'wrong integers, ours', 'theirs'],
        rows: [
          [
            'float32',
            formatSpread(against.float32, 2, '×'),
            goal ? `≥ ${goal.float32}×` : '',
            errorText(ours),
            '',
            integersText(ours),
            '',
          ],
          ...(theirs
            ? [
                [
                  `Python's fastest: ${theirs.name}`,
                  formatSpread(against.opponent, 2, '×'),
                  goal ? `≥ ${goal.opponent}×` : '',
                  errorText(ours),
                  errorText(theirs),
                  integersText(ours),
                  integersText(theirs),
                ],
              ]
            : []),
        ],
      },
      {
        title: 'All files, fastest first (a third of the rounds)',
        columns: [
          'file',
          `latency 1×${sequence}, one thread`,
          `${ours.name} is faster by`,
          'relative error',
          'wrong integer outputs',
          'size',
        ],
        rows: [
          ...sortedByTime(files, screened).map((file) => fileRow(file, screened, ours.name)),
          [
            'float32',
            formatSpread(spreadOf(screened.float32), 1, ' ms'),
            formatSpread(ratiosOf(screened.float32, screened[ours.name]), 2, '×'),
            '',
            '',
            '',
          ],
        ],
      },
    ],
    notes: [
      `Opponent: ${describeOpponent(python).replace(/, quantize_dynamic.*/, '')}; files of Python's tools run with the session that the runtime has by default, ours with that of its recipe. The first table is a final of the two fastest files of either side and float32. Each round is the median of ${repetitions} runs of every file; error is the relative RMS of the outputs against float32 on ${errorInputs} seeded inputs. The weights are random: errors compare files, and say nothing of accuracy.`,
      ...problems.map(({ name, problem }) => `No file: ${name}: ${problem}`),
    ],
    failures: failuresOf(goal, against, ours, theirs),
    data: { files, screened, samples, problems },
  };
}

function fileRow(file, samples, fastest) {
  const ratio = formatSpread(ratiosOf(samples[file.name], samples[fastest]), 2, '×');
  return [
    file.name,
    formatSpread(spreadOf(samples[file.name]), 1, ' ms'),
    file.name === fastest ? '1' : ratio,
    errorText(file),
    integersText(file),
    `${Math.round(file.bytes / 1e6)} MB`,
  ];
}

const errorText = ({ error }) => error.toPrecision(2);

const integersText = ({ integers }) =>
  integers.problem ? `not checked: ${integers.problem}` : `${integers.wrong} of ${integers.outputs}`;

function failuresOf(goal, against, ours, theirs) {
  const failures = [];
  if (goal && against.float32.median < goal.float32)
    failures.push(`int8 is ${against.float32.median.toFixed(2)}× as fast as float32, below ${goal.float32}×`);
  if (goal && against.opponent && against.opponent.median < goal.opponent)
    failures.push(
      `${ours.name} is ${against.opponent.median.toFixed(2)}× as fast as ${theirs.name}, below ${goal.opponent}×`,
    );
  if (ours.integers.wrong > 0) failures.push(`${ours.integers.wrong} integer outputs of ${ours.name} are wrong`);
  if (ours.integers.problem)
    failures.push(`the integers of ${ours.name} could not be checked: ${ours.integers.problem}`);
  if (!theirs) failures.push('Python made no file');
  return failures;
}
