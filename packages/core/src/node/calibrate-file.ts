import { resolve } from 'node:path';
import { requestsOf, type Unobservable } from '../calibrate/index.ts';
import { OptimumError, throwIfAborted } from '../foundation/index.ts';
import type { Model } from '../ir/index.ts';
import {
  type CalibrationMethod,
  defaultMethod,
  type ObservationRequest,
  type SessionStatistics,
} from '../observe/index.ts';
import type { ProgressListener } from '../pipeline/index.ts';
import { PartialStatistics, publishStatistics } from './calibrate-partial.ts';
import { inputsOf, observe } from './calibrate-plan.ts';
import type { OpenCalibrationData } from './calibration-options.ts';
import { loadCanonical } from './load-canonical.ts';
import { resolveModelInput, type SessionFile } from './model-folder.ts';
import { decide } from './plan-session.ts';
import { type Preparation, type PrepareOptions, prepare } from './prepare.ts';
import type { SessionContext } from './session-context.ts';
import { StagedOutput } from './staged-output.ts';

export interface CalibrateFileOptions extends PrepareOptions {
  /** A model folder or one `.onnx` file. */
  readonly input: string;
  /** The statistics file. */
  readonly output: string;
  /** Replace what exists. */
  readonly force?: boolean | undefined;
  /** Decides how much is observed: some methods need only ranges. @defaultValue percentile 99.999 */
  readonly method?: CalibrationMethod | undefined;
  /** Without it, inputs are made up from the model's signature. */
  readonly data?: OpenCalibrationData | undefined;
  /** Selectors of nodes that stay float. */
  readonly exclude?: readonly string[] | undefined;
  /** Samples at most. @defaultValue 100 */
  readonly samples?: number | undefined;
  /** Threads inside one operator. @defaultValue 1 */
  readonly threads?: number | undefined;
  /** What to observe. @defaultValue what a static plan of the target and the recipe needs */
  readonly requests?: ((model: Model, session: string) => readonly ObservationRequest[]) | undefined;
  /** How often what was found so far is saved. @defaultValue 5000, and up to 60 000 as a run goes on */
  readonly partialEveryMs?: number | undefined;
  readonly onEvent?: ProgressListener | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface CalibrateFileReport {
  readonly schemaVersion: 1;
  readonly output: string;
  readonly target: string;
  readonly recipe: string;
  readonly method: CalibrationMethod;
  readonly sessions: readonly CalibratedSession[];
  readonly durationMs: number;
}

/** What was observed of one session. */
export interface CalibratedSession {
  readonly name: string;
  readonly samples: number;
  /** Samples that an earlier run had observed already. */
  readonly resumedSamples: number;
  readonly madeUp: boolean;
  readonly unobservable: readonly Unobservable[];
  /** Milliseconds until the first sample could run, and from there to the statistics. */
  readonly setUpMs: number;
  readonly collectMs: number;
  readonly statistics: SessionStatistics;
}

/**
 * Observes the activations of a model on data and writes a statistics file. What was found so far is saved beside it
 * now and then: a run that was killed is taken up where it was when it is started again, and ends with the same bytes.
 * @throws E_OUTPUT_EXISTS without force, E_NOTHING_TO_QUANTIZE when nothing has its range from data, and what `prepare`
 * and `calibrate` throw
 */
export async function calibrateFile(options: CalibrateFileOptions): Promise<CalibrateFileReport> {
  const mode = options.mode ?? (options.recipe === undefined ? 'static' : undefined);
  return calibrateFor(await prepare({ ...options, mode }), options);
}

/** The same for hardware that is known already. */
export async function calibrateFor(
  preparation: Preparation,
  options: CalibrateFileOptions,
): Promise<CalibrateFileReport> {
  const start = performance.now();
  const input = resolveModelInput(options.input);
  const output = resolve(options.output);
  const staged = new StagedOutput(output, { force: options.force });
  const context = contextOf(options, input.kind === 'folder', preparation);
  const run: FileRun = { options, context, partial: new PartialStatistics(staged), done: {} };
  try {
    const before = run.partial.read(options.onEvent);
    const sessions: CalibratedSession[] = [];
    for (const session of input.sessions) {
      const calibrated = await calibrateSession(session, before?.sessions[session.name], run);
      if (!calibrated) continue;
      sessions.push(calibrated);
      run.done[session.name] = calibrated.statistics;
    }
    if (sessions.length === 0) throw nothing(options.input);
    throwIfAborted(options.signal);
    publishStatistics(staged, { version: 1, sessions: run.done });
    run.partial.remove();
    const { target, recipe } = preparation;
    const method = options.method ?? defaultMethod;
    const durationMs = performance.now() - start;
    return { schemaVersion: 1, output, target: target.id, recipe: recipe.id, method, sessions, durationMs };
  } catch (error) {
    // Of data that is no good nothing is kept.
    if (OptimumError.isInstance(error) && error.exitCode === 24) run.partial.remove();
    throw error;
  } finally {
    staged.discard();
  }
}

interface FileRun {
  readonly options: CalibrateFileOptions;
  readonly context: SessionContext;
  readonly partial: PartialStatistics;
  /** Sessions that are complete. */
  readonly done: Record<string, SessionStatistics>;
}

/** As the plan is made for `quantize`, so that the statistics are of its activations. */
function contextOf(options: CalibrateFileOptions, isFolder: boolean, preparation: Preparation): SessionContext {
  const { input, output, exclude, samples, data, threads, projectFolder, onEvent, signal } = options;
  const calibration = { samples, data };
  return {
    options: { input, exclude, calibration, timingThreads: threads, projectFolder, onEvent, signal },
    preparation,
    isFolder,
    finalPath: () => output,
  };
}

/** `undefined` when nothing in the session has its range from data, or no data fits it. */
async function calibrateSession(
  { name, input }: SessionFile,
  before: SessionStatistics | undefined,
  { options, context, partial, done }: FileRun,
): Promise<CalibratedSession | undefined> {
  const loaded = await loadCanonical(input, context);
  try {
    const requests = requestsFor(loaded.model, name, options, context);
    const hasData = !options.data || (await options.data(name, inputsOf(loaded.model))) !== undefined;
    if (requests.length === 0 || !hasData) return undefined;
    const subject = { session: name, path: input, model: loaded.model };
    const observed = await observe(subject, requests, context, {
      resume: before,
      onPartial: (found) => partial.write({ version: 1, sessions: { ...done, [name]: found } }),
      partialEveryMs: options.partialEveryMs,
    });
    const { statistics, resumedSamples, madeUp, unobservable, setUpMs, collectMs } = observed;
    const { samples } = statistics;
    return { name, samples, resumedSamples, madeUp, unobservable, setUpMs, collectMs, statistics };
  } finally {
    loaded.close();
  }
}

/** What a static plan of the model needs, unless the caller knows. */
function requestsFor(
  model: Model,
  session: string,
  options: CalibrateFileOptions,
  context: SessionContext,
): readonly ObservationRequest[] {
  if (options.requests) return options.requests(model, session);
  return requestsOf(decide(model, context), options.method ?? defaultMethod);
}

const nothing = (input: string): OptimumError =>
  new OptimumError('E_NOTHING_TO_QUANTIZE', `${input}: no activation has its range from data, or no data fits.`, {
    hint: 'Matrix products are dynamic by default; --recipe static makes everything that can be static.',
    context: { input },
  });
