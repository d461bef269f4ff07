import { join } from 'node:path';
import type { AlgorithmReport } from '../pipeline/index.ts';
import { crossLayerEqualization, smoothQuant, smoothQuantRequests } from '../quantize/index.ts';
import { observe } from './calibrate-plan.ts';
import { toCanonicalForm } from './load-canonical.ts';
import { type LoadedModel, loadModel } from './load-model.ts';
import type { SessionFile } from './model-folder.ts';
import { saveModel } from './save-model.ts';
import type { SessionContext } from './session-context.ts';

export interface TransformedModel {
  /** The original in another form, or a file of its own in the scratch folder. */
  readonly loaded: LoadedModel;
  readonly algorithms: readonly AlgorithmReport[];
  readonly notes: readonly string[];
}

/**
 * Brings a model into the form that quantizes best, without a change to what it computes. What equalization and
 * SmoothQuant make of the weights is written to a scratch file, so that no weights stay in memory.
 */
export async function transformModel(
  original: LoadedModel,
  session: SessionFile,
  context: SessionContext,
  scratch: string,
): Promise<TransformedModel> {
  const { options, preparation } = context;
  const { smoothQuant: isSmooth, crossLayerEqualization: isEqualized } = options.algorithms ?? {};
  const algorithms: AlgorithmReport[] = [];
  const notes = toCanonicalForm(original.model, context).map((why) => `the opset stays as it is: ${why}`);
  let loaded = original;
  const write = async (name: string): Promise<void> => {
    const path = join(scratch, name);
    await saveModel(loaded.model, path);
    if (loaded !== original) loaded.close();
    loaded = await loadModel(path);
  };
  if (isEqualized) {
    algorithms.push(crossLayerEqualization(loaded.model));
    await write('equalized.onnx');
  }
  if (isSmooth) {
    const subject = { session: session.name, path: loaded.path, model: loaded.model };
    const { statistics, rows, madeUp } = await observe(subject, smoothQuantRequests(loaded.model), context);
    const activations = preparation.recipe.mode === 'static' ? 'static' : 'dynamic';
    algorithms.push(smoothQuant(loaded.model, { tensors: statistics.tensors, rows }, { activations }));
    if (madeUp) notes.push('SmoothQuant looked at made-up inputs: give --data');
    await write('smooth.onnx');
  }
  return { loaded, algorithms, notes };
}
