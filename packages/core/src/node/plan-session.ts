import { OptimumError } from '../foundation/index.ts';
import type { Model } from '../ir/index.ts';
import type { AlgorithmReport, CalibrationReport } from '../pipeline/index.ts';
import { mergePlan, nodeIds, type Plan } from '../plan/index.ts';
import { annotate, type RealizeOptions } from '../quantize/index.ts';
import type { NotedPlan } from './apply-cost-table.ts';
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
  const findings = findingsOf(original.model, context);
  if (isPlain(context)) {
    const { plan, notes } = await decideBySpeed(original.model, context);
    return { loaded: original, plan, realize: {}, notes: [...findings, ...notes], close: () => undefined };
  }
  const { planWithData } = await import('./plan-with-data.ts');
  const planned = await planWithData(original, session, context);
  return { ...planned, notes: [...findings, ...planned.notes] };
}

/** The plan for a model, by measured times too where there are some. @throws E_NOTHING_TO_QUANTIZE when none gets faster */
export async function decideBySpeed(model: Model, context: SessionContext): Promise<NotedPlan> {
  const plan = decide(model, context);
  const { applyCostTable, requireSomething } = await import('./apply-cost-table.ts');
  const applied = await applyCostTable(plan, model, context);
  requireSomething(applied.plan);
  return applied;
}

/** What the backend finds about a model, for the report. @throws E_UNSUPPORTED_FEATURE when it finds an error */
export function findingsOf(model: Model, { preparation: { backend, target } }: SessionContext): string[] {
  const found = backend.validate?.(model, target) ?? [];
  const shown = found.map(({ severity, message, at, hint }) => {
    const place = at === undefined ? '' : ` (${at})`;
    return { severity, text: `${message}${place}`, hint };
  });
  const errors = shown.filter(({ severity }) => severity === 'error');
  if (errors.length > 0)
    throw new OptimumError(
      'E_UNSUPPORTED_FEATURE',
      `Backend ${backend.id} cannot take this model for ${target.id}: ${errors.map(({ text }) => text).join('; ')}.`,
      { hint: errors[0]?.hint, context: { diagnostics: found } },
    );
  return shown.map(({ text }) => `${backend.id}: ${text}`);
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
