import { join } from 'node:path';
import { runMeasured } from './lib/measured-process.mjs';
import { program } from './lib/packages.mjs';
import { withMemoryFolder } from './lib/subjects.mjs';
import { digits } from './tasks/digits.mjs';
import { reviews } from './tasks/reviews.mjs';
import { sentences } from './tasks/sentences.mjs';
import { spokenDigits } from './tasks/spoken-digits.mjs';
import { stageTask } from './tasks/stage-task.mjs';
import { textLines } from './tasks/text-lines.mjs';

const tasks = [reviews, sentences, digits, spokenDigits, textLines];
const modes = ['dynamic', 'static', 'auto'];

/** The same model in every mode: what it scores, how large and how fast it is. */
export async function run({ only, log }) {
  const chosen = tasks.filter(({ name }) => !only || only.some((text) => name.includes(text)));
  const results = [];
  for (const task of chosen) results.push(await withMemoryFolder((folder) => measureTask(task, folder, log)));
  return {
    tables: [
      {
        columns: ['model', 'mode', 'score', 'float32', 'size', 'speed against float32', 'integer'],
        rows: results.flatMap(rowsOf),
      },
    ],
    notes: [
      'Scores are accuracies, but for all-MiniLM-L6-v2 (Spearman on STS-B) and PP-OCRv4 (character error rate: lower is better). Calibration: 100 samples (PP-OCRv4: 20 of its lines), default method; one thread; batch 1. Speed is what the command itself measures.',
    ],
    failures: results.flatMap(failuresOf),
    data: results,
  };
}

async function measureTask(task, folder, log) {
  const model = stageTask(task, folder);
  const float32 = await task.score(model);
  const runs = [];
  for (const mode of modes) {
    log(`${task.name}: ${mode}`);
    runs.push({ mode, ...(await quantizeAndScore(task, model, folder, mode)) });
  }
  return { name: task.name, tolerance: task.tolerance, lowerIsBetter: task.lowerIsBetter === true, float32, runs };
}

async function quantizeAndScore(task, model, folder, mode) {
  const output = join(folder, `${mode}.onnx`);
  const data = mode === 'dynamic' ? [] : ['--data', task.calibration()];
  const samples = task.samples && mode !== 'dynamic' ? ['--samples', String(task.samples)] : [];
  const flags = ['--mode', mode, ...data, ...samples, '--json', '--force'];
  const { stdout } = await runMeasured(process.execPath, [program, 'quantize', model, '-o', output, ...flags]);
  const [session] = JSON.parse(stdout).sessions;
  return {
    score: await task.score(output),
    bytes: session.bytes,
    operators: session.operators,
    speed: session.verification.speed,
  };
}

function rowsOf({ name, float32, runs }) {
  return runs.map(({ mode, score, bytes, operators, speed }) => [
    name,
    mode,
    score.toFixed(4),
    float32.toFixed(4),
    `${((100 * bytes.after) / bytes.before).toFixed(0)} %`,
    speed ? `${speed.speedup.toFixed(2)}× [${speed.low.toFixed(2)}–${speed.high.toFixed(2)}]` : 'not measured',
    Object.entries(operators)
      .filter(([, { integer }]) => integer > 0)
      .map(([op, { integer, total }]) => `${integer} of ${total} ${op}`)
      .join(', '),
  ]);
}

function failuresOf({ name, tolerance, lowerIsBetter, float32, runs }) {
  return runs.flatMap(({ mode, score, speed }) => {
    const loss = lowerIsBetter ? score - float32 : float32 - score;
    const problems = loss > tolerance ? [`${name}, ${mode}: ${score.toFixed(4)} against ${float32.toFixed(4)}`] : [];
    if (mode === 'auto' && speed?.verdict === 'slower') problems.push(`${name}, auto: slower than float32`);
    return problems;
  });
}
