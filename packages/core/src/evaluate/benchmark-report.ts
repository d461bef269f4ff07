import type { OperatorTime } from '../backend/index.ts';

/** A figure with the interval in which it lies with 95 % confidence. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** What a group of instances did in one configuration. */
export interface ServingMeasurement {
  readonly latencyMs: {
    readonly p50: Estimate;
    readonly p90: Estimate;
    readonly p99: Estimate;
    readonly mean: Estimate;
  };
  /** Samples (rows of the batch) per second, all instances together. */
  readonly throughput: Estimate;
  /** Latency of each run in order of time, at most 2000 of them, in milliseconds. */
  readonly latenciesMs: readonly number[];
  readonly runs: number;
  /** Time to load the model, in milliseconds. */
  readonly loadMs: number;
  /** Resident bytes of all instances after the runs. */
  readonly residentBytes: number;
  /** Energy of the CPU package, in joules per run; absent where the machine does not expose it. */
  readonly joulesPerRun?: Estimate | undefined;
  /** Cost of a million samples, in the currency of the price. */
  readonly costPerMillion?: Estimate | undefined;
}

export interface ServingConfiguration {
  readonly threads: number;
  readonly instances: number;
  /** Logical CPUs of each instance, where they are bound. */
  readonly cores?: readonly (readonly number[])[] | undefined;
  readonly config: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
}

/** One model at one shape. */
export interface BenchmarkPoint {
  readonly model: string;
  readonly batch: number | undefined;
  readonly sequence: number | undefined;
  /** Dims of every input. */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly configuration: ServingConfiguration;
  readonly measurement: ServingMeasurement;
  /** Against the first model at the same shape: its median latency over this one's. Absent for the first. */
  readonly speedup?: (Estimate & { readonly verdict: 'faster' | 'slower' | 'same' }) | undefined;
  /** Heaviest first. */
  readonly operators?: readonly OperatorTime[] | undefined;
}

/** One setting that the search tried. */
export interface SearchTrial {
  readonly configuration: ServingConfiguration;
  readonly batch: number | undefined;
  readonly p50Ms: Estimate;
  readonly p99Ms: Estimate;
  readonly throughput: Estimate;
  readonly residentBytes: number;
}

/** What `optimum benchmark` found out. Plain JSON. */
export interface BenchmarkReport {
  readonly schemaVersion: 1;
  readonly cpu: { readonly name: string; readonly class: string; readonly cores: number; readonly granted: number };
  readonly runtime: { readonly id: string; readonly version: string };
  readonly models: readonly { readonly name: string; readonly path: string; readonly bytes: number }[];
  readonly points: readonly BenchmarkPoint[];
  /** Present after `--search`: trials in order, the best first in `best`. */
  readonly search?:
    | {
        readonly objective: 'latency' | 'throughput';
        readonly model: string;
        readonly trials: readonly SearchTrial[];
        readonly best: SearchTrial;
      }
    | undefined;
  /** Part of the CPU that others used before the run, 0 to 1. */
  readonly busyBefore: number;
  /** What weakens the figures: a busy machine, fewer cores than asked for, a frequency that changed. */
  readonly warnings: readonly string[];
  readonly durationMs: number;
  readonly measuredAt: string;
}
