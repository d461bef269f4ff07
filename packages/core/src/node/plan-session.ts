import type { Model } from '../ir/index.ts';
import type { AlgorithmReport, CalibrationReport } from '../pipeline/index.ts';
import { mergePlan, nodeIds, type Plan } from '../plan/index.ts';
import { annotate, type RealizeOptions } from '../quantize/index.ts';
import type { LoadedModel } from './load-model.ts';
import type { SessionFile } from './model-folder.ts';
import type { SessionContext } from './session-context.ts';

/** A session ready to be made integer. */
export interface PlannedSession {
  /** In canonical form, and as the accuracy algorithms left it. */
  readonly loaded: LoadedModel;
  readonly plan: Plan;
  readonly realize: RealizeOptions;
  readonly calibration?: CalibrationReport | undefined;
  readonly algorithms?: readonly AlgorithmReport[] | undefined;
  readonly notes: readonly string[];
  /** Lets go of what was made on the way. */
  close(): void;
}

/**
 * Decides how a session becomes integer. What needs no data is done here; for the rest (calibration, measuring, accuracy
 * algorithms) the code is loaded when it is asked for, because dynamic quantization starts faster without it.
 */
export async function planForWriting(
  original: LoadedModel,
  session: SessionFile,
  context: SessionContext,
): Promise<PlannedSession> {
  if (isPlain(context)) {
    const plan = decide(original.model, context);
    return { loaded: original, plan, realize: {}, notes: [], close: () => undefined };
  }
  const { planWithData } = await import('./plan-with-data.ts');
  return planWithData(original, session, context);
}

function isPlain({ options: { algorithms = {} }, preparation }: SessionContext): boolean {
  return preparation.recipe.mode === 'dynamic' && !Object.values(algorithms).some(Boolean);
}

/** The plan for a model: made from what is known, then what the user and the backend say. */
export function decide(model: Model, { options, preparation }: SessionContext): Plan {
  const { capabilities, target, recipe, backend } = preparation;
  const made = annotate(model, {
    capabilities,
    features: target.features,
    recipe,
    target: target.id,
    exclude: options.exclude,
    form: options.form,
  });
  const ids = capabilities.map(({ id }) => id);
  const merged = options.plan ? mergePlan(made, options.plan, ids, new Set(nodeIds(model).values())) : made;
  return backend.adjustPlan?.(merged, model, target) ?? merged;
}
