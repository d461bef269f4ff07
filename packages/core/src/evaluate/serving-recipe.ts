import type { ServingSettings } from '../backend/index.ts';
import type { BenchmarkReport, SearchTrial, ServingConfiguration } from './benchmark-report.ts';

/** Options with which onnxruntime-node makes a session. */
export interface NodeSessionOptions {
  readonly executionProviders: readonly ['cpu'];
  readonly intraOpNumThreads: number;
  readonly interOpNumThreads: 1;
  readonly graphOptimizationLevel: 'all';
  /** Session entries of the runtime. */
  readonly extra?: Readonly<Record<string, string>>;
}

/** Settings that a search found best, as they are used. Plain JSON. */
export interface ServingRecipe {
  readonly schemaVersion: 1;
  readonly objective: 'latency' | 'throughput';
  readonly model: string;
  readonly cpu: BenchmarkReport['cpu'];
  readonly runtime: BenchmarkReport['runtime'];
  /** As `session` and `serving` of a recipe. */
  readonly session: Readonly<Record<string, string>>;
  readonly serving: ServingSettings;
  readonly batch: number | undefined;
  /** Logical CPUs of each instance: start it with `taskset -c`. */
  readonly cores?: readonly (readonly number[])[] | undefined;
  /** Environment that each process must be started with. */
  readonly environment: Readonly<Record<string, string>>;
  /** Second argument of `InferenceSession.create`. */
  readonly onnxruntimeNode: NodeSessionOptions;
  /** Third argument of `pipeline`, second of `from_pretrained`. */
  readonly transformersJs: { readonly device: 'cpu'; readonly session_options: NodeSessionOptions };
  readonly measured: Pick<SearchTrial, 'p50Ms' | 'p99Ms' | 'throughput' | 'residentBytes'>;
  readonly measuredAt: string;
}

/** What `--output` writes of a report with a search. */
export function servingRecipeOf({ search, cpu, runtime, measuredAt }: BenchmarkReport): ServingRecipe | undefined {
  if (!search) return undefined;
  const { objective, model, best } = search;
  const { configuration, batch, p50Ms, p99Ms, throughput, residentBytes } = best;
  const options = nodeSessionOptions(configuration);
  const isSpinning = configuration.config['session.intra_op.allow_spinning'] !== '0';
  return {
    ...{ schemaVersion: 1, objective, model, cpu, runtime },
    session: configuration.config,
    serving: { threads: configuration.threads, instances: configuration.instances, spinning: isSpinning },
    batch,
    ...(configuration.cores && { cores: configuration.cores }),
    environment: configuration.environment,
    onnxruntimeNode: options,
    transformersJs: { device: 'cpu', session_options: options },
    measured: { p50Ms, p99Ms, throughput, residentBytes },
    measuredAt,
  };
}

const nodeSessionOptions = ({ threads, config }: ServingConfiguration): NodeSessionOptions => ({
  executionProviders: ['cpu'],
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  graphOptimizationLevel: 'all',
  ...(Object.keys(config).length > 0 && { extra: config }),
});
