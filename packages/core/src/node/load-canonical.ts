import type { Model } from '../ir/index.ts';
import { canonicalise, raiseOpset } from '../passes/index.ts';
import { type LoadedModel, loadModel } from './load-model.ts';
import type { SessionContext } from './session-context.ts';

type Prepared = Pick<SessionContext, 'preparation'>;

/**
 * Brings a model into the form that quantizes best: normalizations and scalings in the weights, and an opset that has
 * scales by channel. Dynamic recipes leave the graph as it is: the reference tool does, and there is nothing to gain.
 * @returns why the opset could not be raised; static nodes stay float then
 */
export function toCanonicalForm(model: Model, { preparation }: Prepared): readonly string[] {
  if (preparation.recipe.mode === 'dynamic') return [];
  canonicalise(model);
  return raiseOpset(model);
}

/** Opens a model and brings it into that form. */
export async function loadCanonical(path: string, context: Prepared): Promise<LoadedModel> {
  const loaded = await loadModel(path);
  toCanonicalForm(loaded.model, context);
  return loaded;
}
