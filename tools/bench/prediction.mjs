import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { core, coreNode, onnxruntime, programFolder } from './lib/packages.mjs';
import { median } from './lib/statistics.mjs';
import { generatedModel, withMemoryFolder } from './lib/subjects.mjs';
import { zooFiles } from './zoo/zoo-files.mjs';

/** A prediction this far off is a miss; so many may not be. */
const tolerance = 0.15;
const wantedShare = 0.9;

/** Tokens of the two shapes: one word, as in decoding or search boxes, and a paragraph. */
const sequences = [16, 128];
const seed = 20_260_101;
const budgetMs = 1500;

export async function run({ only, log }) {
  const table = await onnxruntime.probe({ from: programFolder });
  const { recipe } = await coreNode.prepare({ programFolder, projectFolder: programFolder });
  log(`probed in ${table.durationMs} ms, unrest ${table.unrest}`);
  const subjects = [...zooFiles(), ...(await generated(log))].filter(({ name }) =>
    only ? only.some((text) => name.includes(text)) : true,
  );
  const cases = await withMemoryFolder(async (folder) => {
    // Without a table of this machine, so that what gets slower is quantized, too, and its prediction seen.
    process.env.OPTIMUM_CACHE = join(folder, 'no-cache');
    const done = [];
    for (const subject of subjects) {
      for (const one of await casesOf(subject, folder, table, recipe.session)) {
        log(`${one.name} ${one.shape}: predicted ${one.predicted.toFixed(2)}×, measured ${one.measured.toFixed(2)}×`);
        done.push(one);
      }
    }
    return done;
  });
  return resultOf(cases, table);
}

/** Sizes between the small real models and those that people use. */
const generated = async (log) => [
  { name: 'generated/bert-base', group: 'generated', path: await generatedModel('bert-base', log) },
];

async function casesOf({ name, group, path }, folder, table, config) {
  const output = join(folder, 'output.onnx');
  try {
    const [{ plan }] = await quantized(path, output);
    const cases = [];
    for (const sequence of sequences) {
      const feeds = feedsOf(path, sequence);
      // Models of fixed shapes have one case.
      if (!feeds || cases.some(({ shape }) => shape === shapeOf(feeds))) continue;
      const one = await caseOf({ name, group, path, output, plan, table, feeds, config });
      if (one) cases.push(one);
    }
    return cases;
  } catch (error) {
    if (error.code) return [];
    throw error;
  } finally {
    for (const file of [output, `${output}_data`]) rmSync(file, { force: true });
  }
}

async function quantized(input, output) {
  const options = { input, output, force: true, verify: false, programFolder, projectFolder: programFolder };
  return (await coreNode.quantize(options)).sessions;
}

function feedsOf(path, sequence) {
  const loaded = coreNode.loadModelSync(path);
  try {
    return core.makeInputs(loaded.model, { seed, variant: 0, sizes: new Map([['sequence', sequence]]) });
  } catch {
    return undefined;
  } finally {
    loaded.close();
  }
}

async function caseOf({ name, group, path, output, plan, table, feeds, config }) {
  try {
    const predicted = await coreNode.predictFile(path, {
      runtime: onnxruntime,
      table,
      plan,
      feeds,
      plannedConfig: config,
    });
    const measured = await measure([{ path }, { path: output, config }], feeds);
    return {
      ...{ name, group, shape: shapeOf(feeds) },
      ...{ predicted: predicted.speedup, measured: measured.speedup, low: measured.low, high: measured.high },
      ...{ predictedMs: predicted.floatUs / 1000, measuredMs: measured.originalMs },
      ...{ plannedMs: predicted.plannedUs / 1000, quantizedMs: measured.quantizedMs },
    };
  } catch (error) {
    // A model that takes no input of this size is no case.
    if (error.code) return undefined;
    throw error;
  }
}

async function measure(files, feeds) {
  const sessions = [];
  try {
    for (const { path, config = {} } of files)
      sessions.push(await onnxruntime.createSession({ path }, { threads: 1, config }));
    await wait(50);
    return await core.measureSpeed(sessions[0], sessions[1], feeds, { budgetMs });
  } finally {
    for (const session of sessions) await session.close();
  }
}

const shapeOf = (feeds) => Object.values(feeds)[0].dims.join('×');

const errorOf = ({ predicted, measured }) => predicted / measured - 1;
const isHit = (one) => Math.abs(errorOf(one)) <= tolerance;
const percent = (ratio) => `${(100 * ratio).toFixed(0)} %`;

function resultOf(cases, table) {
  const worst = [...cases].sort((a, b) => Math.abs(errorOf(b)) - Math.abs(errorOf(a)));
  const share = cases.filter(isHit).length / Math.max(1, cases.length);
  const groups = [...new Set(cases.map(({ group }) => group))];
  const failures = [];
  if (share < wantedShare) failures.push(`${percent(share)} of the predictions are within ${percent(tolerance)}`);
  return {
    tables: [
      {
        title: 'By group',
        columns: ['group', 'cases', `within ${percent(tolerance)}`, 'median error', 'largest error'],
        rows: [
          ...groups.map((group) =>
            groupRow(
              group,
              cases.filter((one) => one.group === group),
            ),
          ),
          groupRow('all', cases),
        ],
      },
      {
        title: 'Farthest off',
        columns: ['file', 'shape', 'predicted', 'measured', 'error', 'float32 predicted', 'float32 measured'],
        rows: worst.slice(0, 12).map(caseRow),
      },
    ],
    notes: [
      `Speed-up of the default recipe, predicted from the table of optimum probe (${table.durationMs} ms, unrest ${table.unrest}) and the graph, against interleaved runs with one thread.`,
    ],
    failures,
    data: cases,
  };
}

const groupRow = (name, cases) => [
  name,
  String(cases.length),
  `${cases.filter(isHit).length} (${percent(cases.filter(isHit).length / Math.max(1, cases.length))})`,
  percent(median(cases.map((one) => Math.abs(errorOf(one))))),
  percent(Math.max(...cases.map((one) => Math.abs(errorOf(one))))),
];

const caseRow = (one) => [
  one.name,
  one.shape,
  `${one.predicted.toFixed(2)}×`,
  `${one.measured.toFixed(2)}× [${one.low.toFixed(2)}–${one.high.toFixed(2)}]`,
  percent(errorOf(one)),
  `${one.predictedMs.toFixed(3)} ms`,
  `${one.measuredMs.toFixed(3)} ms`,
];
