import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { throwIfAborted } from '../foundation/index.ts';
import { analyzeSaturation, keepFullRange } from '../quantize/index.ts';
import { type CalibratedPlan, type CalibrationSubject, calibratePlan } from './calibrate-plan.ts';
import { chooseOperators } from './choose-operators.ts';
import { improveWeights, weightRequests } from './improve-weights.ts';
import { limitError } from './limit-error.ts';
import type { LoadedModel } from './load-model.ts';
import type { SessionFile } from './model-folder.ts';
import { decide, type PlannedSession } from './plan-session.ts';
import type { SessionContext } from './session-context.ts';
import { transformModel } from './transform-model.ts';

/**
 * Plans with data: brings the model into the form that quantizes best, picks operators by what they really cost,
 * calibrates what the plan needs, keeps the error in bounds, and improves weights.
 */
export async function planWithData(
  original: LoadedModel,
  session: SessionFile,
  context: SessionContext,
): Promise<PlannedSession> {
  const scratch = new Scratch();
  let loaded = original;
  const close = (): void => {
    if (loaded !== original) loaded.close();
    scratch.remove();
  };
  try {
    const transformed = await transformModel(original, session, context, scratch.folder);
    loaded = transformed.loaded;
    const subject = { session: session.name, path: loaded.path, model: loaded.model };
    const planned = await planAndCalibrate(subject, context);
    const { plan, parameters, calibrated } = planned;
    const improved = await improveWeights(plan, subject, calibrated?.observed, context);
    return {
      loaded,
      plan,
      realize: { parameters, overrides: improved.overrides },
      calibration: calibrated?.report,
      algorithms: [...transformed.algorithms, ...improved.algorithms],
      notes: [...transformed.notes, ...planned.notes, ...improved.notes],
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

async function planAndCalibrate(subject: CalibrationSubject, context: SessionContext) {
  const wanted = await chooseOperators(decide(subject.model, context), subject, context);
  throwIfAborted(context.options.signal);
  const needsRanges = wanted.activations?.some(({ parameters }) => parameters.kind === 'own') === true;
  const calibrated = needsRanges
    ? await calibratePlan(wanted, subject, context, weightRequests(subject.model, context))
    : undefined;
  const parameters: CalibratedPlan['parameters'] = calibrated?.parameters ?? new Map();
  const limited = await limitError(calibrated?.plan ?? wanted, parameters, subject, context);
  // Only what no activation whatever can saturate: what was not observed may come all the same.
  const plan = keepFullRange(limited.plan, analyzeSaturation(subject.model, limited.plan));
  return { plan, parameters, calibrated, notes: limited.notes };
}

/** A folder for models as accuracy algorithms leave them, until they are quantized. */
class Scratch {
  readonly folder = mkdtempSync(join(tmpdir(), 'optimum-prepared-'));
  // A second Ctrl-C ends the process without coming back here.
  readonly #onExit = (): void => rmSync(this.folder, { recursive: true, force: true });

  constructor() {
    process.once('exit', this.#onExit);
  }

  remove(): void {
    process.off('exit', this.#onExit);
    this.#onExit();
  }
}
