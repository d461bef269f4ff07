import {
  type BenchmarkPoint,
  type BenchmarkReport,
  type Estimate,
  type OperatorTime,
  type SearchTrial,
  type ServingConfiguration,
  type ServingMeasurement,
  seededRandom,
} from '@optimum/core';

const oneThread: ServingConfiguration = { threads: 1, instances: 1, config: {}, environment: {} };

const around = (value: number, spread = 0.01): Estimate => ({
  value,
  low: value * (1 - spread),
  high: value * (1 + spread),
});

function measurement(batch: number, p50: number, seed: number, runs: number): ServingMeasurement {
  const random = seededRandom(seed);
  const latenciesMs = Array.from({ length: runs }, () => p50 * (1 + 0.02 * Math.abs(random.normal())));
  const throughput = around((1000 * batch) / p50);
  return {
    latencyMs: { p50: around(p50), p90: around(1.04 * p50), p99: around(1.1 * p50, 0.03), mean: around(1.01 * p50) },
    throughput,
    latenciesMs,
    runs,
    loadMs: 140,
    residentBytes: 1.8e8 + 2e6 * batch + 1e4 * p50,
  };
}

const operator = (op: string, index: number, meanUs: number): OperatorTime => ({
  name: `/layer.${index}/${op}`,
  op,
  meanUs,
  shortestUs: 0.98 * meanUs,
  inputs: [[1, 128, 768]],
  outputs: [[1, 128, 768]],
});

/** Microseconds of twelve layers that add up to a little less than the milliseconds of the run. */
const operatorsOf = (milliseconds: number, isInteger: boolean): OperatorTime[] =>
  Array.from({ length: 12 }, (_, index) => [
    operator(isInteger ? 'MatMulIntegerToFloat' : 'MatMul', index, 60 * milliseconds),
    operator('LayerNormalization', index, 2 * milliseconds),
    operator('Softmax', index, 1.4 * milliseconds),
    operator('Gelu', index, 5 * milliseconds),
    operator('Add', index, 2 * milliseconds),
    operator('Transpose', index, milliseconds),
    operator('Reshape', index, 0.2 * milliseconds),
    operator('Gather', index, 0.1 * milliseconds),
    operator('Where', index, 0.1 * milliseconds),
    ...(isInteger ? [operator('DynamicQuantizeLinear', index, 3 * milliseconds)] : []),
  ]).flat();

const models = [
  { name: 'bert-base', path: 'models/bert-base/onnx/model.onnx', bytes: 436e6, share: 1 },
  { name: 'bert-base-int8', path: 'models/bert-base-int8/onnx/model.onnx', bytes: 110e6, share: 0.31 },
  { name: 'bert-base-4-bit', path: 'models/bert-base-4-bit/onnx/model.onnx', bytes: 65e6, share: 0.62 },
];

export interface SampleShape {
  readonly models?: number;
  readonly batches?: readonly (number | undefined)[];
  readonly sequences?: readonly (number | undefined)[];
  readonly runs?: number;
  readonly withOperators?: boolean;
  readonly withSearch?: boolean;
  /** Energy and cost. */
  readonly withEnergy?: boolean;
}

/** A report as `optimum benchmark` makes it, of models that behave like BERT on a CPU with VNNI. */
export function sampleBenchmark({
  models: count = 3,
  batches = [1, 8],
  sequences = [16, 128, 512],
  runs = 200,
  withOperators = true,
  withSearch = true,
  withEnergy = false,
}: SampleShape = {}): BenchmarkReport {
  const shown = models.slice(0, count);
  const points = batches.flatMap((batch) =>
    sequences.flatMap((sequence) => {
      const first = 1.7 * (batch ?? 1) * (sequence ?? 128) + 6;
      return shown.map(({ name, share }, index): BenchmarkPoint => {
        const p50 = first * share * (1 + 0.03 * index);
        const measured = measurement(batch ?? 1, p50, 7 * index + (sequence ?? 0), runs);
        return {
          model: name,
          batch,
          sequence,
          inputs: { input_ids: [batch ?? 1, sequence ?? 128] },
          configuration: oneThread,
          measurement: withEnergy ? { ...measured, joulesPerRun: around(0.4), costPerMillion: around(1.9) } : measured,
          ...(index > 0 && { speedup: { ...around(first / p50, 0.02), verdict: 'faster' as const } }),
          ...(withOperators && { operators: operatorsOf(p50, index > 0) }),
        };
      });
    }),
  );
  return {
    schemaVersion: 1,
    cpu: { name: 'AMD EPYC 9R14', class: 'avx512-vnni', cores: 8, granted: 4 },
    runtime: { id: 'onnxruntime', version: '1.30.0' },
    models: shown.map(({ share: _, ...model }) => model),
    points,
    ...(withSearch && { search: sampleSearch(shown[0]?.name ?? '') }),
    busyBefore: 0.23,
    warnings: ['23 % of the CPU was used by others before the run: intervals are wider than on a quiet machine.'],
    durationMs: 48_200,
    measuredAt: '2026-11-25T10:00:00.000Z',
  };
}

function sampleSearch(model: string): NonNullable<BenchmarkReport['search']> {
  const trials = [1, 2, 4].flatMap((threads) =>
    [1, 2, 4].map((instances): SearchTrial => {
      const used = Math.min(4, threads * instances);
      const p50 = (72 / threads ** 0.85) * Math.max(1, (threads * instances) / 4) * 1.03 ** instances;
      return {
        configuration: {
          threads,
          instances,
          config: instances > 1 ? { 'session.intra_op.allow_spinning': '0' } : {},
          environment: {},
        },
        batch: 1,
        p50Ms: around(p50),
        p99Ms: around(1.2 * p50),
        throughput: around((1000 * instances) / p50 / (used > 3 ? 1.05 : 1)),
        residentBytes: 1.6e8 * instances,
      };
    }),
  );
  const best = trials.reduce((most, trial) => (trial.throughput.value > most.throughput.value ? trial : most));
  return { objective: 'throughput', model, trials, best };
}
