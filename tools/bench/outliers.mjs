import { join } from 'node:path';
import { runMeasured } from './lib/measured-process.mjs';
import { program } from './lib/packages.mjs';
import { withMemoryFolder } from './lib/subjects.mjs';
import { digitsOutliers } from './tasks/digits.mjs';
import { reviewsOutliers } from './tasks/reviews.mjs';
import { spokenDigitsOutliers } from './tasks/spoken-digits.mjs';
import { stageTask } from './tasks/stage-task.mjs';

const tasks = [spokenDigitsOutliers, ...digitsOutliers, ...reviewsOutliers];
const variants = ['dynamic', 'static'].flatMap((mode) => [false, true].map((isSmooth) => ({ mode, isSmooth })));

/** Models with planted outliers, with and without SmoothQuant. */
export async function run({ only, log }) {
  const chosen = tasks.filter(({ name }) => !only || only.some((text) => name.includes(text)));
  const results = [];
  for (const task of chosen) results.push(await withMemoryFolder((folder) => measureTask(task, folder, log)));
  return {
    tables: [
      {
        columns: ['model', 'float32', ...variants.map(({ mode, isSmooth }) => `${mode}${isSmooth ? ', smooth' : ''}`)],
        rows: results.map(({ name, float32, scores }) => [
          name,
          ...[float32, ...scores].map((score) => score.toFixed(4)),
        ]),
      },
    ],
    notes: [
      'Calibrated on 100 samples of the training data. The models compute the same function as those without outliers.',
    ],
    failures: results.flatMap(failuresOf),
    data: results,
  };
}

async function measureTask(task, folder, log) {
  const model = stageTask(task, folder);
  const float32 = await task.score(model);
  const scores = [];
  for (const { mode, isSmooth } of variants) {
    log(`${task.name}: ${mode}${isSmooth ? ' with SmoothQuant' : ''}`);
    const output = join(folder, 'int8.onnx');
    const flags = ['--mode', mode, '--data', task.calibration(), ...(isSmooth ? ['--smooth-quant'] : [])];
    const rest = ['--no-verify', '--quiet', '--force'];
    await runMeasured(process.execPath, [program, 'quantize', model, '-o', output, ...flags, ...rest]);
    scores.push(await task.score(output));
  }
  return { name: task.name, float32, scores };
}

const smoothTolerance = 0.007;

function failuresOf({ name, float32, scores }) {
  return variants.flatMap(({ mode, isSmooth }, index) =>
    isSmooth && float32 - scores[index] > smoothTolerance
      ? [`${name}, ${mode}: ${scores[index].toFixed(4)} against ${float32.toFixed(4)}`]
      : [],
  );
}
