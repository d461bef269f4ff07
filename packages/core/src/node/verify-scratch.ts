import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Model } from '../ir/index.ts';
import { serializeModel } from '../onnx/index.ts';
import { type LoadedModel, loadModelSync } from './load-model.ts';

/**
 * Opens a model that is closed when the work with the scratch folder is done.
 * @param dataOf the model that it was made of, when the runtime wrote it: its external data is there
 */
export type OpenModel = (path: string, dataOf?: string) => LoadedModel;

/** Runs a proof with a folder of its own, removed afterwards. */
export async function withScratch<Result>(
  work: (scratch: string, open: OpenModel) => Promise<Result>,
): Promise<Result> {
  const scratch = mkdtempSync(join(tmpdir(), 'optimum-verify-'));
  const removeScratch = (): void => rmSync(scratch, { recursive: true, force: true });
  // A second Ctrl-C ends the process without coming back here.
  process.once('exit', removeScratch);
  const opened: LoadedModel[] = [];
  const open: OpenModel = (path, dataOf) => {
    const loaded = loadModelSync(path, { dataOf });
    opened.push(loaded);
    return loaded;
  };
  try {
    return await work(scratch, open);
  } finally {
    for (const loaded of opened) loaded.close();
    process.off('exit', removeScratch);
    removeScratch();
  }
}

/** The model without its weights: they are read from the files that they lie in. */
export const serializeSlim = (model: Model): Uint8Array =>
  serializeModel(model, { slim: { locate: (source) => source.path && basename(source.path) } });

/** The verdict on a model that takes none of the inputs. */
export const notCompared = (notChecked: readonly string[]) => ({
  status: 'unverified' as const,
  reason: `it loads and its kernels are there, but its outputs could not be compared: ${notChecked.join('; ')}`,
  hint: 'Give real inputs to compare on: --data samples.jsonl',
});
