import { basename, dirname, join } from 'node:path';
import { OptimumError, throwIfAborted } from '../foundation/index.ts';
import { type Model, walkNodes } from '../ir/index.ts';
import { countOperators, groupFloat, type SessionReport, type Verification } from '../pipeline/index.ts';
import { mergePlan, type Plan } from '../plan/index.ts';
import { annotate, type RealizeReport, realize } from '../quantize/index.ts';
import { type LoadedModel, loadModel, loadModelSync } from './load-model.ts';
import type { SessionFile } from './model-folder.ts';
import { writeModelFiles } from './save-model.ts';
import type { SessionContext } from './session-context.ts';
import type { StagedOutput } from './staged-output.ts';
import { verifySession } from './verify-session.ts';
import { threadsFor, WriteThreads } from './write-threads.ts';

/** The report of a session that is only planned. */
export function planSession(session: SessionFile, context: SessionContext): SessionReport {
  const loaded = loadModelSync(session.input);
  try {
    const plan = decide(loaded.model, context);
    const bytes = { before: loaded.byteLength, after: 0 };
    return {
      ...base(session, context, plan),
      status: 'planned',
      bytes,
      verification: unverified('nothing was written (dry run)'),
    };
  } finally {
    loaded.close();
  }
}

/** Treats one session: plan, quantize, write into the staging folder, prove. Returns the files it wrote there. */
export async function quantizeSession(
  session: SessionFile,
  staged: StagedOutput,
  name: string,
  context: SessionContext,
): Promise<{ readonly report: SessionReport; readonly files: readonly string[] }> {
  const { options } = context;
  const emit = (stage: 'load' | 'plan' | 'write' | 'verify'): void => {
    throwIfAborted(options.signal);
    options.onEvent?.({ type: 'stage', stage, session: session.name });
  };
  emit('load');
  const loaded = await loadModel(session.input);
  const count = threadsFor(loaded.byteLength, options.threads);
  const threads = count > 1 ? new WriteThreads(count - 1) : undefined;
  try {
    emit('plan');
    const plan = planOrNothing(loaded.model, session, context);
    if (!plan) return await copyUnquantized(loaded, session, staged, name, context);
    const realized = await realizePlan(loaded.model, plan, session.input);
    emit('write');
    const written = await writeModelFiles(loaded.model, staged, name, {
      signal: options.signal,
      threads,
      onProgress: (done, total) =>
        options.onEvent?.({ type: 'progress', stage: 'write', session: session.name, done, total }),
    });
    requireSmaller(session, loaded.byteLength, written.byteLength);
    emit('verify');
    const verification = await verifySession({ session, path: join(staged.folder, name), plan, context });
    const report: SessionReport = {
      ...base(session, context, plan),
      status: 'quantized',
      bytes: { before: loaded.byteLength, after: written.byteLength },
      scaleFactor: realized.scaleFactor(),
      notes: realized.removedInputs.map((input) => `input "${input}" was a weight and went with it`),
      verification,
    };
    return { report, files: written.files };
  } finally {
    await threads?.close();
    loaded.close();
  }
}

function base(
  session: SessionFile,
  context: SessionContext,
  plan: Plan,
): Omit<SessionReport, 'status' | 'bytes' | 'verification'> {
  return {
    name: session.name,
    input: session.input,
    output: context.finalPath(session),
    operators: countOperators(plan),
    left: groupFloat(plan),
    notes: [],
    plan,
  };
}

const unverified = (reason: string, hint?: string): Verification => ({ status: 'unverified', reason, hint });

/** The plan for a model: made from what is known, then what the user and the backend say. */
function decide(model: Model, { options, preparation }: SessionContext): Plan {
  const { capabilities, target, recipe, backend } = preparation;
  const made = annotate(model, {
    capabilities,
    features: target.features,
    recipe,
    target: target.id,
    exclude: options.exclude,
  });
  const ids = capabilities.map(({ id }) => id);
  const merged = options.plan ? mergePlan(made, options.plan, ids) : made;
  return backend.adjustPlan?.(merged, model, target) ?? merged;
}

/** In a folder of several sessions one may have nothing to quantize; alone, that is an error. */
function planOrNothing(model: Model, session: SessionFile, context: SessionContext): Plan | undefined {
  try {
    return decide(model, context);
  } catch (error) {
    const isNothing = OptimumError.isInstance(error) && error.code === 'E_NOTHING_TO_QUANTIZE';
    if (isNothing && context.isFolder && session.name !== 'model') return undefined;
    throw error;
  }
}

async function copyUnquantized(
  loaded: LoadedModel,
  session: SessionFile,
  staged: StagedOutput,
  name: string,
  context: SessionContext,
) {
  const written = await writeModelFiles(loaded.model, staged, name, { signal: context.options.signal });
  const report: SessionReport = {
    name: session.name,
    input: session.input,
    output: context.finalPath(session),
    status: 'copied',
    bytes: { before: loaded.byteLength, after: written.byteLength },
    operators: {},
    left: [],
    notes: ['nothing in it can be made integer; copied, because the folder needs it under this name'],
    verification: unverified('it is the original'),
    plan: { version: 1, target: '', features: [], recipe: '', valueInfo: 'keep', entries: [] },
  };
  return { report, files: written.files };
}

/** Shapes stay as they are, go, or become those that Python's tool would write. */
async function realizePlan(model: Model, plan: Plan, path: string): Promise<RealizeReport> {
  if (plan.valueInfo === 'drop') dropValueInfo(model);
  if (plan.valueInfo !== 'write') return realize(model, plan);
  // Inference is half of core, and no other recipe asks for it.
  const { pythonTypes, writeTypes } = await import('./python-types.ts');
  const types = pythonTypes(model, path);
  const report = realize(model, plan);
  writeTypes(model, types);
  return report;
}

/** Inner shapes let the runtime prove what it needs to fuse SkipLayerNormalization, which is slower than its parts. */
function dropValueInfo(model: Model): void {
  for (const node of walkNodes(model)) {
    for (const value of node.outputs) if (value && !value.isGraphOutput) value.type = undefined;
  }
}

/** @throws E_NOTHING_GAINED when the result is not smaller; nothing is published then */
function requireSmaller(session: SessionFile, before: number, after: number): void {
  if (after < before) return;
  throw new OptimumError(
    'E_NOTHING_GAINED',
    `${basename(dirname(session.input))}/${basename(session.input)}: the quantized model has ${after} bytes, the original ${before}: nothing is gained.`,
    {
      context: { before, after },
      hint: 'The model has few weights; it is best left as it is.',
    },
  );
}
