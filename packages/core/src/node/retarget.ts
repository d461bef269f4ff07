import { basename, join, resolve } from 'node:path';
import { OptimumError } from '../foundation/index.ts';
import type { RetargetReport, RetargetSessionReport } from '../pipeline/index.ts';
import { quantizedOperators } from '../quantize/index.ts';
import { loadModelSync } from './load-model.ts';
import { type ModelInput, resolveModelInput, type SessionFile } from './model-folder.ts';
import { prepare } from './prepare.ts';
import { publish } from './publish.ts';
import { folderExtras } from './quantize-extras.ts';
import { refuseInput } from './quantize-guard.ts';
import { reportHead } from './report-head.ts';
import { retargetClaims } from './retarget-claims.ts';
import { stageRetargetExtras } from './retarget-extras.ts';
import type { RetargetContext, RetargetOptions } from './retarget-options.ts';
import { copySession, planRetarget, retargetSession } from './retarget-session.ts';
import { StagedOutput } from './staged-output.ts';

/**
 * Makes a quantized model fast and right on a CPU, without its float weights: plans, writes beside the final place, proves
 * the result against the model that was given, and only then publishes it. A failure leaves what was there before.
 * @throws E_NOTHING_GAINED for a float model and for one that is best left as it is, and every code of the stages
 */
export async function retarget(options: RetargetOptions): Promise<RetargetReport> {
  const start = performance.now();
  const found = resolveModelInput(options.input, 'any');
  const { input, left } = quantizedOnly(found, options.input);
  const output = resolve(options.output ?? input.defaultOutput);
  const preparation = await prepare(options);
  const context: RetargetContext = {
    options,
    preparation,
    claims: await retargetClaims(preparation, options.projectFolder),
    finalPath: (session) => (input.kind === 'folder' ? join(output, session.output) : output),
  };
  const sessions = options.dryRun ? planAll(input, context) : await retargetAll(input, output, context);
  return {
    ...(await reportHead(preparation, output, options)),
    sessions,
    notes: notesOf(left, context),
    durationMs: performance.now() - start,
  };
}

function notesOf(left: readonly string[], { claims: { costTable } }: RetargetContext): string[] {
  return [
    ...(left.length > 0 ? [`in float, left where they are: ${left.join(', ')}`] : []),
    ...(costTable ? [`predicted by what optimum probe measured on this CPU (${costTable})`] : []),
  ];
}

/** The sessions that are quantized already; others have no place in what is published. */
function quantizedOnly(
  input: ModelInput,
  shown: string,
): { readonly input: ModelInput; readonly left: readonly string[] } {
  const isQuantized = input.sessions.map((session) => {
    const loaded = loadModelSync(session.input);
    const { size } = quantizedOperators(loaded.model);
    loaded.close();
    return size > 0;
  });
  const sessions = input.sessions.filter((_, index) => isQuantized[index]);
  if (sessions.length === 0)
    throw new OptimumError('E_NOTHING_GAINED', `${shown}: there is no quantized operator in it to retarget.`, {
      hint: `Make an integer model of a float one: optimum quantize ${shown}`,
      context: { path: input.path },
    });
  const left = input.sessions.filter((_, index) => !isQuantized[index]).map(({ input: path }) => basename(path));
  return { input: { ...input, sessions }, left };
}

function planAll(input: ModelInput, context: RetargetContext): RetargetSessionReport[] {
  const reports = input.sessions.map((session) => planRetarget(session, context));
  requireGain(reports, context);
  return reports;
}

async function retargetAll(
  input: ModelInput,
  output: string,
  context: RetargetContext,
): Promise<RetargetSessionReport[]> {
  const { options } = context;
  const isFolder = input.kind === 'folder';
  refuseInput(input, output);
  const extras = isFolder ? folderExtras(input) : undefined;
  const staged = new StagedOutput(output, { force: options.force, kind: input.kind });
  try {
    const reports: RetargetSessionReport[] = [];
    const written: string[] = [];
    const nameOf = (session: SessionFile): string => (isFolder ? session.output : basename(output));
    for (const session of input.sessions) {
      staged.makeFolderOf(nameOf(session));
      const result = await retargetSession(session, staged, nameOf(session), context);
      reports.push(result.report);
      written.push(...result.files);
    }
    requireGain(reports, context);
    for (const [index, session] of input.sessions.entries())
      if (reports[index]?.status === 'copied')
        written.push(...(await copySession(session, staged, nameOf(session), context)));
    options.onEvent?.({ type: 'stage', stage: 'publish', session: basename(output) });
    if (extras) stageRetargetExtras(extras, staged, written, reports);
    await publish(staged, input.kind, written, options.signal);
    return reports;
  } finally {
    staged.discard();
  }
}

/** @throws E_NOTHING_GAINED when no session has anything that the target is better off with */
function requireGain(reports: readonly RetargetSessionReport[], { preparation }: RetargetContext): void {
  if (reports.some(({ actions }) => actions.length > 0)) return;
  const left = reports.flatMap((report) => report.left);
  const reasons = left.map(({ op, nodes, reason }) => `${nodes.length} ${op}: ${reason}`);
  const advice = left.find((entry) => entry.advice)?.advice;
  throw new OptimumError(
    'E_NOTHING_GAINED',
    `Nothing is gained by retargeting ${reports.map(({ name }) => name).join(', ')} to ${preparation.target.id}${reasons.length > 0 ? ` (${reasons.join('; ')})` : ''}.`,
    {
      hint: advice ? `What would help: ${advice}` : 'The model is best left as it is. No file was written.',
      context: { target: preparation.target.id, left },
    },
  );
}
