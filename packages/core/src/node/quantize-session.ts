import { basename, dirname, join } from 'node:path';
import { OptimumError, throwIfAborted } from '../foundation/index.ts';
import { type Model, walkNodes } from '../ir/index.ts';
import { countOperators, groupFloat, type SessionReport, type Verification } from '../pipeline/index.ts';
import type { Plan } from '../plan/index.ts';
import { type RealizeReport, realize } from '../quantize/index.ts';
import { toCanonicalForm } from './load-canonical.ts';
import { type LoadedModel, loadModel, loadModelSync } from './load-model.ts';
import type { SessionFile } from './model-folder.ts';
import { decideBySpeed, findingsOf, type PlannedSession, planForWriting } from './plan-session.ts';
import { type WrittenModel, writeModelFiles } from './save-model.ts';
import type { SessionContext } from './session-context.ts';
import type { StagedOutput } from './staged-output.ts';
import { verifySession } from './verify-session.ts';
import { threadsFor, WriteThreads } from './write-threads.ts';

/** The report of a session that is only planned: from the graph alone, without a look at data. */
export async function planSession(session: SessionFile, context: SessionContext): Promise<SessionReport> {
  const loaded = loadModelSync(session.input);
  try {
    const notes = findingsOf(loaded.model, context);
    toCanonicalForm(loaded.model, context);
    const { plan, notes: measured } = await decideBySpeed(loaded.model, context);
    const bytes = { before: loaded.byteLength, after: 0 };
    return {
      ...base(session, context, plan),
      status: 'planned',
      bytes,
      notes: [...notes, ...measured],
      verification: unverified('nothing was written (dry run)'),
    };
  } finally {
    loaded.close();
  }
}

interface Treated {
  readonly report: SessionReport;
  /** Files that were written into the staging folder. */
  readonly files: readonly string[];
}

/** Treats one session: plan, calibrate, quantize, write into the staging folder, prove. */
export async function quantizeSession(
  session: SessionFile,
  staged: StagedOutput,
  name: string,
  context: SessionContext,
): Promise<Treated> {
  enter('load', session, context);
  const original = await loadModel(session.input);
  const { byteLength } = original;
  try {
    const planned = await planOrNothing(original, session, context);
    if (!planned) return await copyUnquantized(session, staged, name, context);
    try {
      return await writePlanned(planned, { session, staged, name, byteLength }, context);
    } finally {
      planned.close();
    }
  } finally {
    original.close();
  }
}

/** Where a planned session goes, and what writes it. */
interface Destination {
  readonly session: SessionFile;
  readonly staged: StagedOutput;
  readonly name: string;
  /** Bytes of the user's own file, whatever it was turned into on the way. */
  readonly byteLength: number;
}

function enter(stage: 'load' | 'plan' | 'write' | 'verify', session: SessionFile, { options }: SessionContext): void {
  throwIfAborted(options.signal);
  options.onEvent?.({ type: 'stage', stage, session: session.name });
}

async function writePlanned(
  planned: PlannedSession,
  destination: Destination,
  context: SessionContext,
): Promise<Treated> {
  const { session, staged, name, byteLength } = destination;
  const { loaded, plan } = planned;
  const realized = await realizePlanned(planned);
  enter('write', session, context);
  const written = await writeRealized(loaded, destination, context);
  requireSmaller(session, byteLength, written.byteLength);
  enter('verify', session, context);
  const verification = await verifySession({ session, path: join(staged.folder, name), plan, context });
  const report: SessionReport = {
    ...base(session, context, plan),
    status: 'quantized',
    bytes: { before: byteLength, after: written.byteLength },
    scaleFactor: realized.scaleFactor(),
    calibration: planned.calibration,
    algorithms: planned.algorithms,
    notes: [
      ...planned.notes,
      ...realized.removedInputs.map((input) => `input "${input}" was a weight and went with it`),
    ],
    verification,
  };
  return { report, files: written.files };
}

/** Threads start only now: while this one plans they would only cost memory. */
async function writeRealized(
  { model }: LoadedModel,
  { session, staged, name, byteLength }: Destination,
  { options }: SessionContext,
): Promise<WrittenModel> {
  const count = threadsFor(byteLength, options.threads);
  const threads = count > 1 ? new WriteThreads(count - 1) : undefined;
  try {
    return await writeModelFiles(model, staged, name, {
      signal: options.signal,
      threads,
      onProgress: (done, total) =>
        options.onEvent?.({ type: 'progress', stage: 'write', session: session.name, done, total }),
    });
  } finally {
    await threads?.close();
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

/** In a folder of several sessions one may have nothing to quantize; alone, that is an error. */
async function planOrNothing(
  original: LoadedModel,
  session: SessionFile,
  context: SessionContext,
): Promise<PlannedSession | undefined> {
  enter('plan', session, context);
  try {
    return await planForWriting(original, session, context);
  } catch (error) {
    const isNothing = OptimumError.isInstance(error) && error.code === 'E_NOTHING_TO_QUANTIZE';
    if (isNothing && context.isFolder && session.name !== 'model') return undefined;
    throw error;
  }
}

async function copyUnquantized(
  session: SessionFile,
  staged: StagedOutput,
  name: string,
  context: SessionContext,
): Promise<Treated> {
  const loaded = await loadModel(session.input);
  try {
    return await copyLoaded(loaded, session, staged, name, context);
  } finally {
    loaded.close();
  }
}

async function copyLoaded(
  loaded: LoadedModel,
  session: SessionFile,
  staged: StagedOutput,
  name: string,
  context: SessionContext,
): Promise<Treated> {
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
async function realizePlanned({ loaded, plan, realize: options }: PlannedSession): Promise<RealizeReport> {
  const { model, path } = loaded;
  if (plan.valueInfo === 'drop') dropValueInfo(model);
  if (plan.valueInfo !== 'write') return realize(model, plan, options);
  // Inference is half of core, and no other recipe asks for it.
  const { pythonTypes, writeTypes } = await import('./python-types.ts');
  const types = pythonTypes(model, path);
  const report = realize(model, plan, options);
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
