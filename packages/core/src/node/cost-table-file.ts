import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CostTable, type CpuFacts, featuresOf, type Runtime } from '../backend/index.ts';
import { cacheFolder } from './cache-folder.ts';
import { codeOf } from './file-sink.ts';

/** What a table must be of to be used. */
export type CostTableSubject = Pick<CostTable, 'probeVersion' | 'runtime' | 'cpu'>;

/** The subject on this machine; `undefined` where the runtime is missing or has nothing to measure. */
export async function costTableSubject(
  runtime: Runtime,
  facts: CpuFacts,
  from?: string,
): Promise<CostTableSubject | undefined> {
  if (!runtime.probe || runtime.probeVersion === undefined) return undefined;
  const status = await runtime.status(from);
  if (status.status === 'absent') return undefined;
  const { modelName, architecture } = facts;
  return {
    probeVersion: runtime.probeVersion,
    runtime: { id: runtime.id, version: status.version },
    cpu: { modelName, architecture, features: featuresOf(facts) },
  };
}

/** Names a table in plans and reports: `onnxruntime-1.30.0-p1-3f2a9c1e`. The same runtime, probe and CPU, the same key. */
export function costTableKey({ probeVersion, runtime, cpu }: CostTableSubject): string {
  const { modelName, architecture, features } = cpu;
  const hash = createHash('sha256')
    .update(JSON.stringify([modelName, architecture, features]))
    .digest('hex');
  return `${runtime.id}-${runtime.version}-p${probeVersion}-${hash.slice(0, 8)}`.replace(/[^\w.-]/g, '_');
}

export const costTablePath = (subject: CostTableSubject): string =>
  join(cacheFolder(), 'probe', `${costTableKey(subject)}.json`);

/** A kept table; or why there is none: nothing was kept (`problem` is absent), or what is there cannot be used. */
export interface KeptCostTable {
  readonly path: string;
  readonly table?: CostTable;
  readonly problem?: string;
}

/** Reads the table that was kept for a subject. Never throws: what cannot be used is measured again. */
export function readCostTable(subject: CostTableSubject): KeptCostTable {
  const path = costTablePath(subject);
  try {
    const json: unknown = JSON.parse(readFileSync(path, 'utf8'));
    const problem = problemOf(json, subject);
    return problem === undefined ? { path, table: json as CostTable } : { path, problem };
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return { path };
    return { path, problem: error instanceof SyntaxError ? 'it is not JSON' : (error as Error).message };
  }
}

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

/** Why a document is not the table of a subject; `undefined` when it is. */
function problemOf(json: unknown, subject: CostTableSubject): string | undefined {
  if (!isObject(json)) return 'it is no table';
  const { schemaVersion, probeVersion, runtime, cpu, behaviour, kernels } = json;
  if (schemaVersion !== 1) return `its schema is ${String(schemaVersion)}, not 1`;
  if (probeVersion !== subject.probeVersion) return `it is of probe version ${String(probeVersion)}`;
  if (!isSame(runtime, subject.runtime)) return 'it is of another runtime';
  if (!isSame(cpu, subject.cpu)) return 'it is of another CPU';
  if (!isObject(behaviour) || !['exact', 'saturates'].includes(String(behaviour.u8s8))) return 'it has no behaviour';
  if (!Array.isArray(kernels) || kernels.length === 0 || !kernels.every(isKernelTime)) return 'its times are broken';
  return undefined;
}

const isSame = (value: unknown, expected: object): boolean =>
  isObject(value) && Object.entries(expected).every(([key, one]) => JSON.stringify(value[key]) === JSON.stringify(one));

function isKernelTime(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { kernel, rows, depth, columns, microseconds } = value;
  const isPositive = (number: unknown): boolean => Number.isFinite(number) && (number as number) > 0;
  return typeof kernel === 'string' && [rows, depth, columns, microseconds].every(isPositive);
}
