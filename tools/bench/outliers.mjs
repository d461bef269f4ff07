import { digitsOutliers } from './tasks/digits.mjs';
import { reviewsOutliers } from './tasks/reviews.mjs';
import { runTasks } from './tasks/run-tasks.mjs';
import { spokenDigitsOutliers } from './tasks/spoken-digits.mjs';

const tasks = [spokenDigitsOutliers, ...digitsOutliers, ...reviewsOutliers];

const variantsOf = (task) =>
  ['dynamic', 'static'].flatMap((mode) =>
    [false, true].map((isSmooth) => ({
      name: `${mode}${isSmooth ? ', smooth' : ''}`,
      flags: ['--mode', mode, '--data', task.calibration(), '--no-verify', ...(isSmooth ? ['--smooth-quant'] : [])],
    })),
  );

/** Models with planted outliers, with and without SmoothQuant. */
export async function run(context) {
  const results = (await runTasks(tasks, variantsOf, context)).map(({ task, float32, runs }) => ({
    name: task.name,
    float32,
    runs: runs.map(({ name, score }) => ({ name, score })),
  }));
  return {
    tables: [
      {
        columns: ['model', 'float32', ...(results[0]?.runs.map(({ name }) => name) ?? [])],
        rows: results.map(({ name, float32, runs }) => [
          name,
          ...[float32, ...runs.map(({ score }) => score)].map((score) => score.toFixed(4)),
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

const smoothTolerance = 0.007;

function failuresOf({ name, float32, runs }) {
  return runs.flatMap(({ name: variant, score }) =>
    variant.endsWith('smooth') && float32 - score > smoothTolerance
      ? [`${name}, ${variant}: ${score.toFixed(4)} against ${float32.toFixed(4)}`]
      : [],
  );
}
