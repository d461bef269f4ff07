import { basename, dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { storedTensor } from '../analysis/index.ts';
import { throwIfAborted } from '../foundation/index.ts';
import { chunkByteLength, type Model, walkValues } from '../ir/index.ts';
import { type ExecuteOptions, executeTask, planWrite, tasksOf, type WritePlan } from '../onnx/index.ts';
import { FileSink } from './file-sink.ts';
import { StagedOutput } from './staged-output.ts';
import { isShareable, type WriteThreads } from './write-threads.ts';

/** Above this a model's weights go into a file of their own: protobuf and the runtime stop at 2 GiB. */
export const largestSingleFile = 1.9e9;

export interface WriteModelOptions extends ExecuteOptions {
  /** `auto`: above 1.9 GB. @defaultValue 'auto' */
  readonly externalData?: 'auto' | 'always' | 'never' | undefined;
  /** Further threads, started by the caller, who also ends them. */
  readonly threads?: WriteThreads | undefined;
}

export interface SaveModelOptions extends WriteModelOptions {
  readonly force?: boolean | undefined;
}

export interface WrittenModel {
  /** Names of the files that were written, external data first. */
  readonly files: readonly string[];
  readonly byteLength: number;
}

/**
 * Writes a model to a path, atomically. Weights stream through a small buffer; computed ones are made on the way.
 * External data is named as transformers.js expects it: `<file>.onnx_data`.
 * @throws E_OUTPUT_EXISTS, E_NO_SPACE, E_IO, E_NUMERIC_*, E_INTERRUPTED; what was there before is left
 */
export async function saveModel(model: Model, path: string, options: SaveModelOptions = {}): Promise<WrittenModel> {
  const staged = new StagedOutput(path, options);
  try {
    const written = await writeModelFiles(model, staged, basename(path), options);
    throwIfAborted(options.signal);
    staged.publishFiles(written.files);
    return written;
  } finally {
    staged.discard();
  }
}

/** Writes the files of a model into a staging folder (or a folder in it), not yet published. */
export async function writeModelFiles(
  model: Model,
  staged: StagedOutput,
  name: string,
  options: WriteModelOptions = {},
): Promise<WrittenModel> {
  const plan = planFiles(model, `${basename(name)}_data`, options.externalData ?? 'auto');
  const byteLength = plan.model.byteLength + (plan.external?.byteLength ?? 0);
  staged.requireSpace(byteLength);
  const folder = join(staged.folder, dirname(name));
  const sinks = openSinks(plan, folder, basename(name));
  try {
    await execute(plan, sinks, options);
    sinks.external?.finish();
    sinks.model.finish();
  } finally {
    sinks.external?.close();
    sinks.model.close();
  }
  const files = [...(plan.external ? [plan.external.location] : []), basename(name)];
  return { files: files.map((file) => join(dirname(name), file)), byteLength };
}

interface OpenSinks {
  readonly model: FileSink;
  readonly external?: FileSink;
}

/** How long the event loop may have to wait for its turn, beside the time of one task. */
const turnMs = 10;

/**
 * Does the tasks of a plan, in this thread or in all of them. Between tasks the event loop gets its turn, so that
 * signals and timers are served.
 */
async function execute(plan: WritePlan, sinks: OpenSinks, options: WriteModelOptions): Promise<void> {
  const { threads, signal, onProgress } = options;
  const total = plan.model.byteLength + (plan.external?.byteLength ?? 0);
  const buffer = new Uint8Array(Math.min(chunkByteLength, total));
  const tasks = tasksOf(plan);
  const shared = threads ? tasks.filter(isShareable) : [];
  const others = threads?.share(shared, { model: sinks.model.name, external: sinks.external?.name });
  // Should this thread fail first, the failure of the others is not news.
  others?.catch(() => undefined);
  const own = threads ? tasks.filter((task) => !isShareable(task)) : tasks;
  let done = 0;
  let turn = performance.now();
  for (let task = threads?.claim() ?? own.shift(); task; task = threads?.claim() ?? own.shift()) {
    throwIfAborted(signal);
    executeTask(task, sinks, buffer, threads?.memoryByteLength);
    done += task.kind === 'job' ? task.byteLength : task.segment.byteLength;
    onProgress?.(done, total);
    if (performance.now() - turn < turnMs) continue;
    await nextTurn();
    turn = performance.now();
  }
  await others;
}

function planFiles(model: Model, location: string, mode: 'auto' | 'always' | 'never'): WritePlan {
  const isExternal = mode === 'always' || (mode === 'auto' && storedByteLength(model) > largestSingleFile);
  return planWrite(model, isExternal ? { external: { location } } : {});
}

/** Bytes of all weights: nearly those of the file, and found without encoding anything. */
function storedByteLength(model: Model): number {
  let sum = 0;
  for (const value of walkValues(model)) sum += storedTensor(value)?.byteLength ?? 0;
  return sum;
}

function openSinks(plan: WritePlan, folder: string, name: string): OpenSinks {
  const external = plan.external && new FileSink(join(folder, plan.external.location), plan.external.byteLength);
  try {
    const model = new FileSink(join(folder, name), plan.model.byteLength);
    return external ? { model, external } : { model };
  } catch (error) {
    external?.close();
    throw error;
  }
}
