import type { Runtime } from '../backend/index.ts';
import type { ServingConfiguration } from '../evaluate/index.ts';
import type { ShapedInput } from './benchmark-inputs.ts';
import type { BenchmarkMachine } from './benchmark-machine.ts';
import type { BenchmarkNumbers, BenchmarkRequest } from './benchmark-request.ts';
import type { EnergyCounter } from './energy-counter.ts';
import type { Contestant } from './serving-rounds.ts';

/** What all measurements of a request share. */
export interface MeasureContext {
  readonly request: BenchmarkRequest;
  readonly numbers: BenchmarkNumbers;
  readonly runtime: Runtime;
  readonly machine: BenchmarkMachine;
  readonly configuration: ServingConfiguration;
  readonly energy: EnergyCounter | undefined;
}

/** `1×128`, `batch 1`, `fixed shapes`. */
export function shapeName({ batch, sequence }: Pick<ShapedInput, 'batch' | 'sequence'>): string {
  if (batch !== undefined && sequence !== undefined) return `${batch}×${sequence}`;
  if (batch !== undefined) return `batch ${batch}`;
  return sequence === undefined ? 'fixed shapes' : `sequence ${sequence}`;
}

export const contestantOf = (input: ShapedInput, configuration: ServingConfiguration): Contestant => ({
  name: input.file.name,
  model: { path: input.file.path },
  feeds: input.feeds,
  samplesPerRun: input.rows,
  configuration,
});

/** How long, how often and on what contestants run. */
export const roundOptions = ({ request, numbers, runtime, energy }: MeasureContext) => ({
  runtime,
  from: request.projectFolder,
  signal: request.signal,
  rounds: numbers.rounds,
  durationMs: numbers.durationMs,
  seed: numbers.seed,
  energy,
});
