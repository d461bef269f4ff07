import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import type { CostTable, CpuFacts, ProbeOptions, Runtime } from '../backend/index.ts';
import { OptimumError } from '../foundation/index.ts';
import { costTableKey, costTableSubject, readCostTable } from './cost-table-file.ts';
import { FileSink, outputCalls, writing } from './file-sink.ts';
import { type PrepareOptions, prepare } from './prepare.ts';

export interface KeepOptions extends ProbeOptions {
  /** Measure again, whatever is kept. */
  readonly force?: boolean | undefined;
}

export interface ProbeResult {
  readonly table: CostTable;
  /** As plans name it: see `costTableKey`. */
  readonly key: string;
  readonly origin: 'kept' | 'measured';
  /** Where the table is kept. */
  readonly path: string;
  /** What was not as it should be, and did not stop anything. */
  readonly notes: readonly string[];
}

/** Above this the times are not to be trusted. */
const mostUnrest = 0.1;

/** A table that is kept for this machine, and the key by which plans name it. */
export interface KeptTable {
  readonly table: CostTable;
  readonly key: string;
}

/** The table that is kept for this machine, if there is one that can be used. Measures nothing. */
export async function findCostTable(runtime: Runtime, facts: CpuFacts, from?: string): Promise<KeptTable | undefined> {
  const subject = await costTableSubject(runtime, facts, from);
  const table = subject && readCostTable(subject).table;
  return table && { table, key: costTableKey(subject) };
}

/** `keptCostTable` of the runtime of the backend that fits this machine. @throws as it does, and as `prepare` */
export async function probeCostTable(options: PrepareOptions & KeepOptions = {}): Promise<ProbeResult> {
  const { backend, facts } = await prepare(options);
  return keptCostTable(backend.runtime, facts, { ...options, from: options.from ?? options.projectFolder });
}

/**
 * The cost table of a runtime on this machine: the one that is kept for this version, probe and CPU, else measured now and
 * kept. A table that cannot be read or kept is a note, and no failure.
 * @throws E_BACKEND_MISSING without a runtime, E_UNSUPPORTED_FEATURE for one that has nothing to measure, and as sessions
 */
export async function keptCostTable(
  runtime: Runtime,
  facts: CpuFacts,
  options: KeepOptions = {},
): Promise<ProbeResult> {
  const { force, ...probeOptions } = options;
  const subject = await costTableSubject(runtime, facts, options.from);
  if (!subject || !runtime.probe) throw await notProbed(runtime, options.from);
  const key = costTableKey(subject);
  const kept = readCostTable(subject);
  const { path } = kept;
  if (kept.table && !force) return { table: kept.table, key, origin: 'kept', path, notes: unrestNotes(kept.table) };
  const table = await runtime.probe(probeOptions);
  const notes = [
    ...(kept.problem ? [`the kept table was not used: ${kept.problem} (${path})`] : []),
    ...keep(table, path),
    ...unrestNotes(table),
  ];
  return { table, key, origin: 'measured', path, notes };
}

async function notProbed(runtime: Runtime, from: string | undefined): Promise<OptimumError> {
  const status = await runtime.status(from);
  if (status.status === 'absent')
    return new OptimumError('E_BACKEND_MISSING', `The runtime is missing: ${status.reason}.`, { hint: status.hint });
  return new OptimumError('E_UNSUPPORTED_FEATURE', `Runtime ${runtime.id} has no kernels that could be measured.`);
}

const unrestNotes = ({ unrest }: CostTable): string[] =>
  unrest > mostUnrest
    ? [
        `the machine was busy: times differ by ${Math.round(100 * unrest)} %; measure again with --force when it is quiet`,
      ]
    : [];

/** In one step, so that whoever reads it meanwhile, or after this process was killed, sees a whole table or none. */
function keep(table: CostTable, path: string): string[] {
  const temporary = `${path}.${randomUUID()}`;
  try {
    writing(path, () => outputCalls.mkdirSync(dirname(path), { recursive: true }));
    const bytes = Buffer.from(`${JSON.stringify(table, null, 1)}\n`);
    const sink = new FileSink(temporary, bytes.byteLength);
    sink.writeAt(bytes, 0);
    sink.finish();
    writing(path, () => outputCalls.renameSync(temporary, path));
    return [];
  } catch (error) {
    remove(temporary);
    return [`the table could not be kept and will be measured again: ${(error as Error).message}`];
  }
}

function remove(path: string): void {
  try {
    outputCalls.rmSync(path, { force: true });
  } catch {
    // Where nothing can be written there is nothing to remove.
  }
}
