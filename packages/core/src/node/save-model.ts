import { basename, dirname, join } from 'node:path';
import { throwIfAborted } from '../foundation/index.ts';
import type { Model } from '../ir/index.ts';
import { type ExecuteOptions, executePlan, planWrite, type WritePlan } from '../onnx/index.ts';
import { FileSink } from './file-sink.ts';
import { StagedOutput } from './staged-output.ts';

/** Above this a model's weights go into a file of their own: protobuf and the runtime stop at 2 GiB. */
export const largestSingleFile = 1.9e9;

export interface WriteModelOptions extends ExecuteOptions {
  /** `auto`: above 1.9 GB. @defaultValue 'auto' */
  readonly externalData?: 'auto' | 'always' | 'never' | undefined;
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
    const written = writeModelFiles(model, staged, basename(path), options);
    throwIfAborted(options.signal);
    staged.publishFiles(written.files);
    return written;
  } finally {
    staged.discard();
  }
}

/** Writes the files of a model into a staging folder (or a folder in it), not yet published. */
export function writeModelFiles(
  model: Model,
  staged: StagedOutput,
  name: string,
  options: WriteModelOptions = {},
): WrittenModel {
  const plan = planFiles(model, `${basename(name)}_data`, options.externalData ?? 'auto');
  const byteLength = plan.model.byteLength + (plan.external?.byteLength ?? 0);
  staged.requireSpace(byteLength);
  const folder = join(staged.folder, dirname(name));
  const sinks = openSinks(plan, folder, basename(name));
  try {
    executePlan(plan, sinks, options);
    sinks.external?.finish();
    sinks.model.finish();
  } finally {
    sinks.external?.close();
    sinks.model.close();
  }
  const files = [...(plan.external ? [plan.external.location] : []), basename(name)];
  return { files: files.map((file) => join(dirname(name), file)), byteLength };
}

function planFiles(model: Model, location: string, mode: 'auto' | 'always' | 'never'): WritePlan {
  const external = { external: { location } };
  if (mode === 'always') return planWrite(model, external);
  const single = planWrite(model);
  return mode === 'auto' && single.model.byteLength > largestSingleFile ? planWrite(model, external) : single;
}

function openSinks(plan: WritePlan, folder: string, name: string): { model: FileSink; external?: FileSink } {
  const external = plan.external && new FileSink(join(folder, plan.external.location), plan.external.byteLength);
  try {
    const model = new FileSink(join(folder, name), plan.model.byteLength);
    return external ? { model, external } : { model };
  } catch (error) {
    external?.close();
    throw error;
  }
}
