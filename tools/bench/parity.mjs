import { join } from 'node:path';
import { runMeasured } from './lib/measured-process.mjs';
import { describeOpponent, opponentPython, quantizeWithPython, schemes } from './lib/opponent.mjs';
import { program } from './lib/packages.mjs';
import { generatedModel, withMemoryFolder, zooFolder } from './lib/subjects.mjs';
import { compareNames, compareNodes, compareOrder, compareTensors, compareValueInfo } from './parity/compare-files.mjs';
import { compareRuns, levels } from './parity/compare-runs.mjs';
import { readFileFacts } from './parity/file-facts.mjs';

/** Models of the zoo by path; the generated one is added. */
const zooSubjects = {
  'bert-sst2': 'models/bert-sst2.onnx',
  minilm: 'models/minilm/onnx/model.onnx',
  'reviews-bert': 'own/reviews-bert/onnx/model.onnx',
  'reviews-bert-256': 'own/reviews-bert-256/onnx/model.onnx',
  'digits-vit': 'own/digits-vit/onnx/model.onnx',
  'vit-mnist': 'models/vit-mnist.onnx',
  'fsdd-kwt': 'models/fsdd-kwt.onnx',
  'gpt-nano-sort': 'models/gpt-nano-sort.onnx',
  stories260k: 'models/stories260k.onnx',
  'rxn-albert': 'models/rxn-albert.onnx',
};

export async function run({ only, log }) {
  const python = opponentPython();
  const results = [];
  for (const [name, find] of subjects(log)) {
    if (only && !only.some((text) => name.includes(text))) continue;
    for (const scheme of schemes) {
      log(`${name}, ${scheme.name}`);
      results.push(await compareModel(name, await find(), scheme, python));
    }
  }
  return {
    tables: [tableOf(results), firstDifferences(results)].filter(({ rows }) => rows.length > 0),
    notes: [
      `${describeOpponent(python)}; operator types by default, no pre-processing.`,
      'weights: initializers (weights, scales, zero points, biases), type, dims and bytes; renamed: the same bytes under another name. nodes: operator, attributes and what makes the inputs, in any order. names: of what nodes make. order: sequence of operators in the file (Python moves Constant nodes to the front). value_info: name and type of what nodes make, graph outputs left out. outputs: bits, on two seeded inputs, one thread.',
      `${results.filter(({ differences }) => differences?.length === 0).length} of ${results.length} are identical in weights, nodes, value_info and outputs.`,
    ],
    failures: results.flatMap(failuresOf),
    data: results,
  };
}

/** Shown, but no goal: any order that respects the edges is as good, and nothing depends on inner names. */
const shownOnly = ['names', 'order'];

function failuresOf({ name, scheme, error, differences = [] }) {
  if (error) return [`${name}, ${scheme}: ${error}`];
  const wrong = differences.map(({ what }) => what);
  return wrong.length > 0 ? [`${name}, ${scheme}: ${wrong.join(', ')}`] : [];
}

function* subjects(log) {
  for (const [name, path] of Object.entries(zooSubjects)) yield [name, async () => join(zooFolder(), path)];
  yield ['bert-base', () => generatedModel('bert-base', log)];
}

async function compareModel(name, input, scheme, python) {
  const row = { name, scheme: scheme.name };
  try {
    const comparisons = await withMemoryFolder((folder) => compareFilesOf(input, folder, scheme, python));
    const differences = Object.entries(comparisons)
      .filter(([what, { identical }]) => !identical && !shownOnly.includes(what))
      .map(([what, { first, summary }]) => ({ what, first: first ?? summary }));
    return { ...row, comparisons, differences };
  } catch (error) {
    return { ...row, error: lastWords(error) };
  }
}

/** Our own errors start with their code; a Python traceback ends with its error. */
function lastWords(error) {
  const lines = String(error.message).trim().split('\n');
  return (lines.find((line) => /E_[A-Z_]+:/.test(line)) ?? lines.at(-1)).trim().slice(0, 300);
}

async function compareFilesOf(input, folder, scheme, python) {
  const [theirs, ours] = [join(folder, 'python.onnx'), join(folder, 'ours.onnx')];
  await quantizeWithPython(python, input, theirs, scheme);
  const flags = ['--recipe', scheme.recipe, '--no-verify', '--quiet'];
  await runMeasured(process.execPath, [program, 'quantize', input, '-o', ours, ...flags]);
  const [a, b] = [readFileFacts(theirs), readFileFacts(ours)];
  const runs = await compareRuns(input, theirs, ours);
  return {
    weights: compareTensors(a, b),
    nodes: compareNodes(a, b),
    names: compareNames(a, b),
    order: compareOrder(a, b),
    value_info: compareValueInfo(a, b),
    ...Object.fromEntries(levels.map((level, index) => [level, runs[index]])),
  };
}

function tableOf(results) {
  const columns = ['weights', 'nodes', 'names', 'order', 'value_info', ...levels];
  const cell = ({ error, comparisons }, column) => {
    if (error) return 'failed';
    const { identical, summary } = comparisons[column];
    return identical ? `identical${summary === 'same' ? '' : ` (${summary})`}` : summary;
  };
  return {
    title: "Against Python's files",
    columns: ['model', 'scheme', ...columns.map((name) => (levels.includes(name) ? `outputs: ${name}` : name))],
    rows: results.map((result) => [result.name, result.scheme, ...columns.map((column) => cell(result, column))]),
  };
}

function firstDifferences(results) {
  const rows = results.flatMap(({ name, scheme, differences = [] }) =>
    differences.filter(({ what }) => !levels.includes(what)).map(({ what, first }) => [name, scheme, what, first]),
  );
  return { title: 'First difference of each kind', columns: ['model', 'scheme', 'what', 'first difference'], rows };
}
