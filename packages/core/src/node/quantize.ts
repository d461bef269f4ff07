import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { TensorData } from '../backend/index.ts';
import { OptimumError } from '../foundation/index.ts';
import type { ProgressListener, QuantizeReport, SessionReport } from '../pipeline/index.ts';
import type { Plan } from '../plan/index.ts';
import {
  type ModelInput,
  readConfig,
  resolveModelInput,
  type SessionFile,
  withTransformersJsConfig,
} from './model-folder.ts';
import { type Preparation, type PrepareOptions, prepare } from './prepare.ts';
import { planSession, quantizeSession } from './quantize-session.ts';
import { snippetOf } from './snippet.ts';
import { StagedOutput } from './staged-output.ts';

export interface QuantizeOptions extends PrepareOptions {
  /** A model folder or one `.onnx` file. */
  readonly input: string;
  /** @defaultValue `INPUT_quantized.onnx`, or `FOLDER-optimized` */
  readonly output?: string | undefined;
  /** Replace what exists. */
  readonly force?: boolean | undefined;
  /** Selectors of nodes that stay float. */
  readonly exclude?: readonly string[] | undefined;
  /** A plan to follow; its entries override what would be decided. */
  readonly plan?: Plan | undefined;
  /** Inputs to compare on, beside those that are made up; used for the sessions that take them. */
  readonly data?: readonly Readonly<Record<string, TensorData>>[] | undefined;
  /** Threads of the work. Timing is single-threaded. @defaultValue 1 */
  readonly threads?: number | undefined;
  /** Leave out the proof on the runtime. @defaultValue true */
  readonly verify?: boolean | undefined;
  /** Throw E_GOAL_NOT_MET when a model is not faster; it is published all the same. */
  readonly requireFaster?: boolean | undefined;
  /** Only plan: write nothing. */
  readonly dryRun?: boolean | undefined;
  readonly onEvent?: ProgressListener | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What one session is treated with. */
export interface SessionContext {
  readonly options: QuantizeOptions;
  readonly preparation: Preparation;
  readonly isFolder: boolean;
  /** Where the result will be once it is published. */
  readonly finalPath: (session: SessionFile) => string;
}

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
  const sessions = options.dryRun ? planAll(input, context) : await quantizeAll(input, output, context);
  const report = await reportOf(context, sessions, output, performance.now() - start, notesOf(input));
  if (options.requireFaster && !options.dryRun) requireFaster(report);
  return report;
}

const planAll = (input: ModelInput, context: SessionContext): SessionReport[] =>
  input.sessions.map((session) => planSession(session, context));

async function quantizeAll(input: ModelInput, output: string, context: SessionContext): Promise<SessionReport[]> {
  const { options } = context;
  refuseSelf(input, output);
  const staged = new StagedOutput(output, { force: options.force });
  try {
    const reports: SessionReport[] = [];
    const written: string[] = [];
    for (const session of input.sessions) {
      const name = input.kind === 'folder' ? session.output : basename(output);
      mkdirSync(join(staged.folder, dirname(name)), { recursive: true });
      const result = await quantizeSession(session, staged, name, context);
      reports.push(result.report);
      written.push(...result.files);
    }
    options.onEvent?.({ type: 'stage', stage: 'publish', session: basename(output) });
    if (input.kind === 'file') staged.publishFiles(written);
    else publishFolder(input, staged, written, reports);
    return reports;
  } finally {
    staged.discard();
  }
}

/** An output that is, or holds, the input would be read while it is replaced. */
function refuseSelf(input: ModelInput, output: string): void {
  const isInput = [input.path, ...input.sessions.map((session) => session.input)].includes(output);
  if (!isInput && !input.path.startsWith(`${output}/`)) return;
  throw new OptimumError('E_USAGE', `${output} is the input itself (or holds it).`, {
    hint: 'Choose another place with -o.',
  });
}

function publishFolder(
  input: Extract<ModelInput, { kind: 'folder' }>,
  staged: StagedOutput,
  written: readonly string[],
  reports: readonly SessionReport[],
): void {
  for (const file of input.companions) {
    mkdirSync(join(staged.folder, dirname(file)), { recursive: true });
    copyFileSync(join(input.path, file), join(staged.folder, file));
  }
  const config = readConfig(input.path);
  const external = written.filter((file) => file.endsWith('_data')).map((file) => basename(file).replace(/_data$/, ''));
  if (config !== undefined)
    writeFileSync(join(staged.folder, 'config.json'), withTransformersJsConfig(config, external));
  const manifest = {
    sessions: reports.map(({ name, output, status, bytes, operators }) => ({
      name,
      file: basename(output),
      status,
      bytes,
      operators,
    })),
  };
  writeFileSync(join(staged.folder, 'optimum_report.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  staged.publishFolder();
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
  const { target, backend, facts, recipe } = preparation;
  const status = await backend.runtime.status(options.projectFolder);
  return {
    schemaVersion: 1,
    target: { id: target.id, name: target.name, backend: target.backend, isThisMachine: target.isThisMachine },
    cpu: facts.modelName,
    recipe: recipe.id,
    ...(status.status === 'found' && { runtime: { id: backend.runtime.id, version: status.version } }),
    output,
    published: !options.dryRun,
    sessions,
    notes,
    snippet: snippetOf(options.input, output, isFolder),
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
