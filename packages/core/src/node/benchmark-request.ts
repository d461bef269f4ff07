import { OptimumError } from '../foundation/index.ts';
import type { PrepareOptions } from './prepare.ts';

export interface BenchmarkRequest extends Pick<PrepareOptions, 'backend' | 'projectFolder' | 'programFolder'> {
  /** ONNX files and model folders; the first one is what the others are compared with. */
  readonly models: readonly string[];
  /** Sizes of the batch. @defaultValue 1, or what the model has fixed */
  readonly batches?: readonly number[] | undefined;
  /** Numbers of tokens. @defaultValue 128, or as many as the model takes */
  readonly sequences?: readonly number[] | undefined;
  /** Threads inside one operator, of each instance. @defaultValue the cores of an instance, else 1 */
  readonly threads?: number | undefined;
  /** Processes that work at the same time. @defaultValue 1 */
  readonly instances?: number | undefined;
  /** Logical CPUs that each instance is bound to. @defaultValue not bound */
  readonly coresPerInstance?: number | undefined;
  /** Session entries, as `SessionOptions.config`. */
  readonly config?: Readonly<Record<string, string>> | undefined;
  /** Environment of the processes, as `SessionOptions.environment`. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** Rounds with fresh processes, at least 3. @defaultValue 6 */
  readonly rounds?: number | undefined;
  /** Running time for each shape, all models and rounds together; loading comes on top. @defaultValue 10 000 */
  readonly durationMs?: number | undefined;
  /** Decides inputs and order. @defaultValue 1 */
  readonly seed?: number | undefined;
  /** Operators to list for each model and shape, heaviest first. @defaultValue 0 */
  readonly operators?: number | undefined;
  /** Price of this machine for an hour, in any currency. */
  readonly pricePerHour?: number | undefined;
  /** Also find the settings by which the first model is served best. */
  readonly search?: 'latency' | 'throughput' | undefined;
  /** What is going on, for people. */
  readonly onProgress?: ((message: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The numbers of a request, with what holds where none was given. */
export interface BenchmarkNumbers {
  readonly threads: number;
  readonly instances: number;
  readonly coresPerInstance: number | undefined;
  readonly rounds: number;
  readonly durationMs: number;
  readonly seed: number;
  readonly operators: number;
}

/** An interval needs a few rounds. */
const leastRounds = 3;

/** @throws E_USAGE naming every number that cannot be */
export function numbersOf(request: BenchmarkRequest): BenchmarkNumbers {
  const problems = [
    ...wholeNumbers('batch', request.batches, 1),
    ...wholeNumbers('sequence', request.sequences, 1),
    ...wholeNumbers('threads', [request.threads], 1),
    ...wholeNumbers('instances', [request.instances], 1),
    ...wholeNumbers('cores per instance', [request.coresPerInstance], 1),
    ...wholeNumbers('rounds', [request.rounds], leastRounds),
    ...wholeNumbers('seed', [request.seed], 0),
    ...wholeNumbers('operators', [request.operators], 0),
    ...positive('duration', request.durationMs),
    ...positive('price per hour', request.pricePerHour),
  ];
  if (problems.length > 0) throw new OptimumError('E_USAGE', `${problems.join(' ')}`, { context: { problems } });
  const { coresPerInstance, threads, instances, rounds, durationMs, seed, operators } = request;
  return {
    threads: threads ?? coresPerInstance ?? 1,
    instances: instances ?? 1,
    coresPerInstance,
    rounds: rounds ?? 6,
    durationMs: durationMs ?? 10_000,
    seed: seed ?? 1,
    operators: operators ?? 0,
  };
}

function wholeNumbers(name: string, values: readonly (number | undefined)[] | undefined, least: number): string[] {
  if (values?.length === 0) return [`${name}: expected a number, got none.`];
  return (values ?? [])
    .filter((value) => value !== undefined && !(Number.isSafeInteger(value) && value >= least))
    .map((value) => `${name}: expected a whole number of at least ${least}, got ${value}.`);
}

const positive = (name: string, value: number | undefined): string[] =>
  value === undefined || (Number.isFinite(value) && value > 0)
    ? []
    : [`${name}: expected a number above 0, got ${value}.`];
