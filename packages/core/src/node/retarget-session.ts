import { join } from 'node:path';
import { OptimumError, throwIfAborted } from '../foundation/index.ts';
import type { RetargetSessionReport, RetargetVerification } from '../pipeline/index.ts';
import { type RetargetResult, retargetModel } from '../quantize/index.ts';
import { type LoadedModel, loadModel, loadModelSync } from './load-model.ts';
import type { SessionFile } from './model-folder.ts';
import type { RetargetContext } from './retarget-options.ts';
import { verifyRetargetedSession } from './retarget-verify.ts';
import { writeModelFiles } from './save-model.ts';
import type { StagedOutput } from './staged-output.ts';

const unverified = (reason: string): RetargetVerification => ({ status: 'unverified', reason });

/** What would be done to a session, without writing anything. */
export function planRetarget(session: SessionFile, context: RetargetContext): RetargetSessionReport {
  const loaded = loadModelSync(session.input);
  try {
    const result = retargetModel(loaded.model, targetOf(context));
    return reportOf(session, context, loaded, result, {
      status: 'planned',
      after: 0,
      verification: unverified('nothing was written (dry run)'),
    });
  } finally {
    loaded.close();
  }
}

interface Treated {
  readonly report: RetargetSessionReport;
  /** Files that were written into the staging folder; none where nothing is gained. */
  readonly files: readonly string[];
}

/** Treats one session: rewrite, write into the staging folder, prove. */
export async function retargetSession(
  session: SessionFile,
  staged: StagedOutput,
  name: string,
  context: RetargetContext,
): Promise<Treated> {
  enter('load', session, context);
  const loaded = await loadModel(session.input);
  try {
    enter('plan', session, context);
    const result = retargetModel(loaded.model, targetOf(context));
    if (result.actions.length === 0) {
      const verification = unverified('it is the original');
      const outcome = { status: 'copied', after: loaded.byteLength, verification } as const;
      return { report: reportOf(session, context, loaded, result, outcome), files: [] };
    }
    enter('write', session, context);
    const written = await writeLoaded(loaded, session, staged, name, context);
    enter('verify', session, context);
    const path = join(staged.folder, name);
    const maySaturate = requireSettled(session, path, context);
    const verification = await verifyRetargetedSession({ session, path, result, maySaturate, context });
    const outcome = { status: 'retargeted', after: written.byteLength, verification } as const;
    return { report: reportOf(session, context, loaded, result, outcome), files: written.files };
  } finally {
    loaded.close();
  }
}

/** A session for which nothing is gained goes along, byte for byte. */
export async function copySession(
  session: SessionFile,
  staged: StagedOutput,
  name: string,
  context: RetargetContext,
): Promise<readonly string[]> {
  const loaded = await loadModel(session.input);
  try {
    return (await writeLoaded(loaded, session, staged, name, context)).files;
  } finally {
    loaded.close();
  }
}

function enter(stage: 'load' | 'plan' | 'write' | 'verify', session: SessionFile, { options }: RetargetContext): void {
  throwIfAborted(options.signal);
  options.onEvent?.({ type: 'stage', stage, session: session.name });
}

const targetOf = ({ claims: { capabilities }, preparation: { target } }: RetargetContext) => ({
  capabilities,
  features: target.features,
});

/** Weights that lay beside the model lie beside it again. */
function writeLoaded(
  { model, source, byteLength }: LoadedModel,
  session: SessionFile,
  staged: StagedOutput,
  name: string,
  { options }: RetargetContext,
) {
  return writeModelFiles(model, staged, name, {
    signal: options.signal,
    externalData: byteLength > source.byteLength ? 'always' : 'auto',
    onProgress: (done, total) =>
      options.onEvent?.({ type: 'progress', stage: 'write', session: session.name, done, total }),
  });
}

/**
 * Reads what was written and looks for more to do: there must be nothing, so that no weight is left that could saturate and
 * be helped. Returns whether some are left that cannot be helped.
 * @throws E_VERIFY_NUMERIC
 */
function requireSettled(session: SessionFile, path: string, context: RetargetContext): boolean {
  const loaded = loadModelSync(path);
  try {
    const { actions, maySaturate } = retargetModel(loaded.model, targetOf(context));
    if (actions.length === 0) return maySaturate;
    const list = actions.map(({ rewrite, nodes }) => `${rewrite} of ${nodes.length} nodes`).join(', ');
    throw new OptimumError(
      'E_VERIFY_NUMERIC',
      `${session.input}: the model that was written still wants ${list} for ${context.preparation.target.id}.`,
      { hint: 'Nothing was published. This is a bug in Optimum: please report it.', context: { actions } },
    );
  } finally {
    loaded.close();
  }
}

function reportOf(
  session: SessionFile,
  context: RetargetContext,
  { byteLength }: LoadedModel,
  { actions, left, removedInputs }: RetargetResult,
  outcome: {
    readonly status: RetargetSessionReport['status'];
    readonly after: number;
    readonly verification: RetargetVerification;
  },
): RetargetSessionReport {
  return {
    name: session.name,
    input: session.input,
    output: context.finalPath(session),
    status: outcome.status,
    bytes: { before: byteLength, after: outcome.after },
    actions,
    left,
    notes: removedInputs.map((input) => `input "${input}" was a weight and went with it`),
    verification: outcome.verification,
  };
}
