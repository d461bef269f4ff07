import type { CostTable, KernelTime, Runtime } from '../backend/index.ts';
import { featuresOf } from '../backend/index.ts';
import { readCpuFacts } from './cpu-facts.ts';

const { modelName, architecture, ...facts } = readCpuFacts();

/** A table of this machine, whose int8 products take so much longer, or less long, than float32 ones. */
export const tableOf = (runtime: Runtime, version: string, integerUs: (us: number) => number): CostTable => {
  const floatUs = (rows: number, edge: number): number => (rows * edge * edge) / 50_000;
  const grid = [1, 128].flatMap((rows) =>
    [32, 1024].flatMap((depth) => [32, 1024].map((columns) => ({ rows, depth, columns }))),
  );
  const timesOf = (kernel: string, us: (float: number) => number): KernelTime[] =>
    grid.map((shape) => ({
      ...shape,
      kernel,
      microseconds: us(floatUs(shape.rows, Math.sqrt(shape.depth * shape.columns))),
    }));
  return {
    schemaVersion: 1,
    probeVersion: runtime.probeVersion ?? 0,
    runtime: { id: runtime.id, version },
    cpu: { modelName, architecture, features: featuresOf({ modelName, architecture, ...facts }) },
    behaviour: { u8s8: 'exact' },
    kernels: [
      { kernel: 'run', rows: 1, depth: 1, columns: 1, microseconds: 12 },
      ...timesOf('matmul-float32', (us) => us),
      ...timesOf('matmul-u8s8-dynamic', integerUs),
      ...timesOf('matmul-u8u8-dynamic', integerUs),
    ],
    measuredAt: new Date(0).toISOString(),
    durationMs: 1,
    unrest: 0.01,
  };
};
