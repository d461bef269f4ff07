import { cpus } from 'node:os';
import { type CpuFacts, type Feature, featuresOf } from '../backend/index.ts';
import type { BenchmarkReport, ServingConfiguration } from '../evaluate/index.ts';
import { OptimumError } from '../foundation/index.ts';
import { type GrantedCores, readGrantedCores } from './granted-cores.ts';
import { quietShare, watchBusyShare } from './machine-load.ts';

/** Classes by which kernels, and so figures, differ, best first: what decides is the 8-bit dot product. */
const classes: readonly Feature[] = ['avx512-vnni', 'avx-vnni', 'avx512', 'avx2', 'i8mm', 'dotprod', 'neon'];

/** The class of a CPU, by which figures are kept apart. */
export function cpuClassOf(facts: CpuFacts): string {
  const features = featuresOf(facts);
  return classes.find((name) => features.includes(name)) ?? facts.architecture;
}

/** How long the machine is watched before it is measured. */
const watchedMs = 1000;

/** What the figures depend on. */
export interface BenchmarkMachine {
  readonly cpu: BenchmarkReport['cpu'];
  readonly granted: GrantedCores;
  readonly busyBefore: number;
}

export async function readMachine(facts: CpuFacts, signal: AbortSignal | undefined): Promise<BenchmarkMachine> {
  const granted = readGrantedCores();
  return {
    cpu: {
      name: facts.modelName,
      class: cpuClassOf(facts),
      cores: cpus().length,
      granted: granted.granted,
    },
    granted,
    busyBefore: await watchBusyShare(watchedMs, signal),
  };
}

/** What weakens the figures on such a machine. */
export function machineWarnings(
  { granted, busyBefore }: BenchmarkMachine,
  { threads, instances }: Pick<ServingConfiguration, 'threads' | 'instances'>,
): string[] {
  const warnings: string[] = [];
  if (busyBefore > quietShare)
    warnings.push(
      `The machine was busy before (${(100 * busyBefore).toFixed(0)} % of its CPUs): only every second round counts as independent, and the intervals are wider for it.`,
    );
  if (granted.quota !== undefined && granted.quota < 1)
    warnings.push(
      `The control group grants ${granted.quota.toFixed(2)} of a CPU: runs are stopped in the middle, and p90 and p99 are those of the quota more than of the model.`,
    );
  if (threads * instances > granted.granted)
    warnings.push(
      `${threads * instances} threads share ${formatCores(granted.granted)} that this process is granted: they get into each other's way.`,
    );
  return warnings;
}

const formatCores = (granted: number): string =>
  granted === 1 ? '1 core' : `${Number.isInteger(granted) ? granted : granted.toFixed(2)} cores`;

/** Rounds that count as independent: what disturbs a busy machine outlives a round. */
export const independentRounds = (rounds: number, busyBefore: number): number =>
  busyBefore > quietShare ? rounds / 2 : rounds;

/** The logical CPUs of each instance. @throws E_USAGE when there are not so many */
export function assignCores(granted: GrantedCores, instances: number, perInstance: number): number[][] {
  const { cores } = granted;
  if (!cores)
    throw new OptimumError('E_USAGE', 'Processes cannot be bound to cores here: the system does not tell its cores.', {
      hint: 'Leave --cores-per-instance out, or measure on Linux.',
    });
  if (instances * perInstance > cores.length)
    throw new OptimumError(
      'E_USAGE',
      `${instances} instances of ${perInstance} ${perInstance === 1 ? 'core' : 'cores'} need ${instances * perInstance}, and this process may use ${cores.length} (${cores.join(', ')}).`,
      {
        hint: 'Ask for fewer instances, or for fewer cores for each.',
        context: { instances, perInstance, cores: [...cores] },
      },
    );
  return Array.from({ length: instances }, (_, one) => cores.slice(one * perInstance, (one + 1) * perInstance));
}
