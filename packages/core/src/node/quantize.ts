import { basename, join, resolve } from 'node:path';
import { OptimumError } from '../foundation/index.ts';
import type { QuantizeReport, SessionReport } from '../pipeline/index.ts';
import { type ModelInput, resolveModelInput, type SessionFile } from './model-folder.ts';
import { prepare } from './prepare.ts';
import { publish } from './publish.ts';
import { folderExtras, stageExtras } from './quantize-extras.ts';
import { refuseInput } from './quantize-guard.ts';
import { planSession, quantizeSession } from './quantize-session.ts';
import { reportHead } from './report-head.ts';
import type { QuantizeOptions, SessionContext } from './session-context.ts';
import { snippetOf } from './snippet.ts';
import { StagedOutput } from './staged-output.ts';

/**
 * Quantizes a model for a CPU: plans, quantizes, writes beside the final place, proves the result on the runtime, and
 * only then publishes it. A failure leaves what was there before, byte for byte.
 * @throws every code of the stages; see each of them
 */
export async function quantize(options: QuantizeOptions): Promise<QuantizeReport> {
  const start = performance.now();
  const input = resolveModelInput(options.input);
  const output = resolve(options.output ?? input.defaultOutput);
  const preparation = await prepare(options);
  const context: SessionContext = {
    options,
    preparation,
    isFolder: input.kind === 'folder',
    finalPath: (session) => (input.kind === 'folder' ? join(output, session.output) : output),
  };
  const sessions = options.dryRun ? await planAll(input, context) : await quantizeAll(input, output, context);
  const report = await reportOf(context, sessions, output, performance.now() - start, notesOf(input));
  if (options.requireFaster && !options.dryRun) requireFaster(report);
  return report;
}

async function planAll(input: ModelInput, context: SessionContext): Promise<SessionReport[]> {
  const reports: SessionReport[] = [];
  for (const session of input.sessions) reports.push(await planSession(session, context).catch(nameFile(session)));
  return reports;
}

/** The stages know nodes and weights, but not always the file: of several, it has to be said which one failed. */
const nameFile =
  ({ input }: SessionFile) =>
  (error: unknown): never => {
    const isNamed = !OptimumError.isInstance(error) || error.message.includes(basename(input));
    if (isNamed || error.code === 'E_INTERRUPTED') throw error;
    throw new OptimumError(error.code, `${input}: ${error.message}`, {
      hint: error.hint,
      context: { file: input, ...error.context },
      cause: error,
    });
  };

async function quantizeAll(input: ModelInput, output: string, context: SessionContext): Promise<SessionReport[]> {
  const { options } = context;
  const isFolder = input.kind === 'folder';
  refuseInput(input, output);
  const extras = isFolder ? folderExtras(input) : undefined;
  const staged = new StagedOutput(output, { force: options.force, kind: input.kind });
  try {
    const reports: SessionReport[] = [];
    const written: string[] = [];
    for (const session of input.sessions) {
      const name = isFolder ? session.output : basename(output);
      staged.makeFolderOf(name);
      const result = await quantizeSession(session, staged, name, context).catch(nameFile(session));
      reports.push(result.report);
      written.push(...result.files);
    }
    options.onEvent?.({ type: 'stage', stage: 'publish', session: basename(output) });
    if (extras) stageExtras(extras, staged, written, reports);
    await publish(staged, input.kind, written, options.signal);
    return reports;
  } finally {
    staged.discard();
  }
}

function notesOf(input: ModelInput): string[] {
  if (input.kind === 'file' || input.variants.length === 0) return [];
  return [`left where they are: ${input.variants.join(', ')}`];
}

async function reportOf(
  { options, preparation, isFolder }: SessionContext,
  sessions: readonly SessionReport[],
  output: string,
  durationMs: number,
  notes: readonly string[],
): Promise<QuantizeReport> {
  const { recipe } = preparation;
  return {
    ...(await reportHead(preparation, output, options)),
    recipe: recipe.id,
    sessions,
    notes,
    snippet: snippetOf(options.input, output, isFolder, recipe),
    durationMs,
  };
}

/** @throws E_GOAL_NOT_MET naming the sessions that are not faster, or whose speed could not be measured */
function requireFaster(report: QuantizeReport): void {
  const slow = report.sessions.filter(
    ({ verification, status }) =>
      status === 'quantized' && !(verification.status === 'verified' && verification.speed?.verdict === 'faster'),
  );
  if (slow.length === 0) return;
  throw new OptimumError(
    'E_GOAL_NOT_MET',
    `Not shown to be faster: ${slow.map(({ name }) => name).join(', ')}. The files were published: ${report.output}.`,
    {
      context: { report },
    },
  );
}
