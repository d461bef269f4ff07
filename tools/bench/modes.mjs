import { digits } from './tasks/digits.mjs';
import { reviews } from './tasks/reviews.mjs';
import { runTasks } from './tasks/run-tasks.mjs';
import { sentences } from './tasks/sentences.mjs';
import { spokenDigits } from './tasks/spoken-digits.mjs';
import { textLines } from './tasks/text-lines.mjs';

const tasks = [reviews, sentences, digits, spokenDigits, textLines];

/** The same model in every mode: what it scores, how large and how fast it is. */
export async function run(context) {
  const results = (await runTasks(tasks, modesOf, context)).map(measured);
  return {
    tables: [
      {
        columns: ['model', 'mode', 'score', 'float32', 'size', 'speed against float32', 'integer'],
        rows: results.flatMap(rowsOf),
      },
    ],
    notes: [
      'Scores are accuracies, but for all-MiniLM-L6-v2 (Spearman on STS-B) and PP-OCRv4 (character error rate: lower is better). Calibration: 100 samples (PP-OCRv4: 20 of its lines), default method; one thread; batch 1. Speed is what the command itself measures: dynamic on 128 tokens or made-up inputs, static and auto on the first sample of the data.',
    ],
    failures: results.flatMap(failuresOf),
    data: results,
  };
}

const modesOf = (task) => {
  const data = ['--data', task.calibration(), ...(task.samples ? ['--samples', String(task.samples)] : [])];
  return ['dynamic', 'static', 'auto'].map((mode) => ({
    name: mode,
    flags: ['--mode', mode, ...(mode === 'dynamic' ? [] : data)],
  }));
};

const measured = ({ task: { name, tolerance, lowerIsBetter }, float32, runs }) => ({
  name,
  tolerance,
  lowerIsBetter: lowerIsBetter === true,
  float32,
  runs: runs.map(({ name: mode, score, session: { bytes, operators, verification } }) => ({
    mode,
    score,
    bytes,
    operators,
    speed: verification.speed,
  })),
});

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
