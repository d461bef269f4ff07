import type { OperatorTime, Runtime } from '../backend/index.ts';
import {
  type BenchmarkPoint,
  type BenchmarkReport,
  compareServing,
  driftOf,
  type MeasureOptions,
  measureServing,
  median,
  type ServingConfiguration,
  type ServingRound,
} from '../evaluate/index.ts';
import { OptimumError, throwIfAborted } from '../foundation/index.ts';
import { contestantOf, type MeasureContext, roundOptions, shapeName } from './benchmark-context.ts';
import { type PreparedModel, prepareInputs, requireInputs, type ShapedInput } from './benchmark-inputs.ts';
import {
  assignCores,
  type BenchmarkMachine,
  independentRounds,
  machineWarnings,
  readMachine,
} from './benchmark-machine.ts';
import { type BenchmarkFile, benchmarkFiles } from './benchmark-models.ts';
import { type BenchmarkNumbers, type BenchmarkRequest, numbersOf } from './benchmark-request.ts';
import { openEnergyCounter } from './energy-counter.ts';
import { prepare } from './prepare.ts';
import { searchServing } from './search-serving.ts';
import { instanceOptions } from './serving-group.ts';
import { runRounds } from './serving-rounds.ts';

/**
 * Measures models beside each other on the runtime of this machine, each in processes of its own: latency, throughput,
 * load time, memory, and, where they can be had, energy, cost and the time of each operator. Inputs are made up.
 * @throws E_USAGE for numbers that cannot be, E_IO and E_MODEL_* for models, E_DATA_MISMATCH when no model takes a shape
 * that was asked for, E_BACKEND_MISSING, E_BACKEND_CRASHED, E_BACKEND_TIMEOUT, E_LIMIT_MEMORY, E_INTERRUPTED
 */
export async function benchmark(request: BenchmarkRequest): Promise<BenchmarkReport> {
  const numbers = numbersOf(request);
  const files = benchmarkFiles(request.models);
  const { facts, backend } = await prepare(request);
  return measure(request, numbers, files, backend.runtime, await readMachine(facts, request.signal));
}

/** As `benchmark`, on a given runtime and machine. */
export async function measure(
  request: BenchmarkRequest,
  numbers: BenchmarkNumbers,
  files: readonly BenchmarkFile[],
  runtime: Runtime,
  machine: BenchmarkMachine,
): Promise<BenchmarkReport> {
  const start = performance.now();
  const version = await versionOf(runtime, request.projectFolder);
  const configuration = configurationOf(request, numbers, machine);
  const prepared = await prepareAll(request, numbers, files, { runtime, configuration });
  const context: MeasureContext = { request, numbers, runtime, machine, configuration, energy: openEnergyCounter() };
  const shapes: MeasuredShape[] = [];
  for (const inputs of byShape(prepared.flatMap((model) => model.inputs)))
    shapes.push(await measureShape(context, inputs));
  const points = shapes.flatMap((shape) => shape.points);
  const [first] = prepared.flatMap(({ inputs }) => inputs);
  const search =
    request.search && first && (await searchServing({ ...context, objective: request.search, input: first }));
  return {
    schemaVersion: 1,
    cpu: machine.cpu,
    runtime: { id: runtime.id, version },
    models: files.map(({ name, path }, index) => ({ name, path, bytes: prepared[index]?.bytes ?? 0 })),
    points,
    ...(search && { search }),
    busyBefore: machine.busyBefore,
    warnings: [
      ...machineWarnings(machine, configuration),
      ...prepared.flatMap(({ warnings }) => warnings),
      ...shapes.flatMap(({ warnings }) => warnings),
      ...points.flatMap(fewRuns),
      'The inputs are made up: ids, masks and numbers of the right kind, the same ones for the same seed.',
    ],
    durationMs: performance.now() - start,
    measuredAt: new Date().toISOString(),
  };
}

/** @throws E_BACKEND_MISSING with the command that installs it */
async function versionOf(runtime: Runtime, from: string | undefined): Promise<string> {
  const status = await runtime.status(from);
  if (status.status === 'found') return status.version;
  throw new OptimumError('E_BACKEND_MISSING', `The runtime is missing: ${status.reason}.`, { hint: status.hint });
}

function configurationOf(
  { config = {}, environment = {} }: BenchmarkRequest,
  { threads, instances, coresPerInstance }: BenchmarkNumbers,
  { granted }: BenchmarkMachine,
): ServingConfiguration {
  const cores = coresPerInstance && assignCores(granted, instances, coresPerInstance);
  return { threads, instances, ...(cores && { cores }), config, environment };
}

async function prepareAll(
  { batches, sequences, projectFolder: from, onProgress, signal }: BenchmarkRequest,
  { seed }: BenchmarkNumbers,
  files: readonly BenchmarkFile[],
  { runtime, configuration }: Pick<MeasureContext, 'runtime' | 'configuration'>,
): Promise<PreparedModel[]> {
  const session = instanceOptions(configuration, 0, { runtime, from, signal });
  const prepared: PreparedModel[] = [];
  for (const file of files) {
    throwIfAborted(signal);
    onProgress?.(`${file.name}: loading`);
    prepared.push(await prepareInputs(file, { batches, sequences, seed, runtime, session }));
  }
  requireInputs(prepared);
  return prepared;
}

/** Inputs of one shape belong together; shapes in the order of their first model. */
function byShape(inputs: readonly ShapedInput[]): ShapedInput[][] {
  const shapes = new Map<string, ShapedInput[]>();
  for (const input of inputs) {
    const key = `${input.batch}×${input.sequence}`;
    shapes.set(key, [...(shapes.get(key) ?? []), input]);
  }
  return [...shapes.values()];
}

interface MeasuredShape {
  readonly points: readonly BenchmarkPoint[];
  readonly warnings: readonly string[];
}

async function measureShape(context: MeasureContext, inputs: readonly ShapedInput[]): Promise<MeasuredShape> {
  const { request, numbers, configuration, machine } = context;
  const shape = shapeName(inputs[0] as ShapedInput);
  const contestants = inputs.map((input) => contestantOf(input, configuration));
  const rounds = await runRounds(contestants, {
    ...roundOptions(context),
    onRound: (done, total) => request.onProgress?.(`${shape}: round ${done} of ${total}`),
  });
  const independent = independentRounds(numbers.rounds, machine.busyBefore);
  const options: MeasureOptions = { seed: numbers.seed, independent, pricePerHour: request.pricePerHour };
  const points: BenchmarkPoint[] = [];
  for (const [index, input] of inputs.entries()) {
    const own = rounds[index] as ServingRound[];
    const isComparable = index > 0 && haveSameInputs(input, inputs[0] as ShapedInput);
    const operators = await operatorsOf(context, input, medianLatency(own));
    points.push({
      model: input.file.name,
      batch: input.batch,
      sequence: input.sequence,
      inputs: Object.fromEntries(Object.entries(input.feeds).map(([name, { dims }]) => [name, dims])),
      configuration,
      measurement: measureServing(own, options),
      ...(isComparable && { speedup: compareServing(rounds[0] as ServingRound[], own, 'latency', { independent }) }),
      ...(operators && { operators }),
    });
  }
  return { points, warnings: driftWarnings(shape, driftOf(rounds)) };
}

/** Further than this, the machine was not the same one throughout. */
const steadyDrift = 0.1;

const driftWarnings = (shape: string, drift: number): string[] =>
  Math.abs(drift - 1) <= steadyDrift
    ? []
    : [
        `${shape}: all models took ${drift.toFixed(2)}× as long in the second half of the rounds as in the first: the machine changed its speed, or something else began or ended.`,
      ];

/** Models with other inputs do other work: the encoder and the decoder of one folder, say. */
const haveSameInputs = (a: ShapedInput, b: ShapedInput): boolean =>
  Object.keys(a.feeds).sort().join() === Object.keys(b.feeds).sort().join();

const medianLatency = (rounds: readonly ServingRound[]): number =>
  median(rounds.flatMap(({ blocks }) => blocks.flatMap(({ latenciesMs }) => latenciesMs)));

/** Time that runs of a profile may take. */
const profiledMs = 1000;
const profiledRuns = { least: 3, most: 30 } as const;

/** The heaviest operators, from a session of their own: keeping times costs time. */
async function operatorsOf(
  { request, numbers, runtime, configuration }: MeasureContext,
  { file, feeds }: ShapedInput,
  latencyMs: number,
): Promise<OperatorTime[] | undefined> {
  if (numbers.operators === 0) return undefined;
  const options = instanceOptions(configuration, 0, { runtime, from: request.projectFolder, signal: request.signal });
  const session = await runtime.createSession({ path: file.path }, { ...options, profile: true });
  try {
    const wanted = Math.round(profiledMs / latencyMs);
    const runs = Math.min(profiledRuns.most, Math.max(profiledRuns.least, wanted));
    const operators = await session.profile(feeds, runs);
    return operators.sort((a, b) => b.meanUs - a.meanUs).slice(0, numbers.operators);
  } finally {
    await session.close();
  }
}

/** With fewer runs the 99th percentile is hardly more than the slowest of them. */
const enoughForP99 = 100;

const fewRuns = (point: BenchmarkPoint): string[] =>
  point.measurement.runs >= enoughForP99
    ? []
    : [
        `${point.model} at ${shapeName(point)}: ${point.measurement.runs} runs are few for p99; give more time with --duration.`,
      ];
