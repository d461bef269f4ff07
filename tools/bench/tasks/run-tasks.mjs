import { join } from 'node:path';
import { runMeasured } from '../lib/measured-process.mjs';
import { program } from '../lib/packages.mjs';
import { withMemoryFolder } from '../lib/subjects.mjs';
import { stageTask } from './stage-task.mjs';

/**
 * Quantizes the model of each task in each variant by the command, and scores what comes out.
 *
 * @template {{ readonly name: string, readonly flags: readonly string[] }} Variant
 * @param {readonly object[]} tasks
 * @param {(task: object) => readonly Variant[]} variantsOf
 * @param {{ only?: readonly string[], log: (line: string) => void }} context
 */
export async function runTasks(tasks, variantsOf, { only, log }) {
  const results = [];
  for (const task of tasks.filter(({ name }) => !only || only.some((text) => name.includes(text))))
    results.push(await withMemoryFolder((folder) => runTask(task, variantsOf(task), folder, log)));
  return results;
}

async function runTask(task, variants, folder, log) {
  const model = stageTask(task, folder);
  const output = join(folder, 'int8.onnx');
  const float32 = await task.score(model);
  const runs = [];
  for (const { name, flags } of variants) {
    log(`${task.name}: ${name}`);
    const args = ['quantize', model, '-o', output, '--force', '--json', ...flags];
    const { stdout } = await runMeasured(process.execPath, [program, ...args]);
    const [session] = JSON.parse(stdout).sessions;
    runs.push({ name, session, score: await task.score(output) });
  }
  return { task, float32, runs };
}
