import {
  type CostTable,
  featuresOf,
  type KernelTime,
  OptimumError,
  type ProbeOptions,
  type Runtime,
  type SessionOptions,
  timeVariants,
  type VariantTime,
} from '@optimum/core';
import { readCpuFacts } from '@optimum/core/node';
import { probeBehaviour } from './probe-behaviour.ts';
import { probeVersion } from './probe-version.ts';
import { probedAttention } from './probed-attention.ts';
import { probedConvolutions } from './probed-convolutions.ts';
import { probedElementwise } from './probed-elementwise.ts';
import { type ProbedKernel, surroundingsOf, variantOf } from './probed-kernel.ts';
import { probedProducts } from './probed-products.ts';

const defaultBudgetMs = 5000;

const probedKernels: readonly ProbedKernel[] = [
  ...probedElementwise,
  ...probedAttention,
  ...probedConvolutions,
  ...probedProducts,
];

/**
 * Times every kernel with one thread, and sees how the arithmetic behaves. Nothing is kept: see `probeCostTable` of core.
 * @throws E_BACKEND_MISSING, and as `createSession`
 */
export async function probe(runtime: Runtime, version: string, options: ProbeOptions = {}): Promise<CostTable> {
  const { budgetMs = defaultBudgetMs, from, signal, onProgress } = options;
  const start = performance.now();
  const sessionOptions: SessionOptions = { threads: 1, ...(from && { from }), ...(signal && { signal }) };
  const { u8s8, runUs } = await probeBehaviour(runtime, sessionOptions);
  const total = probedKernels.length;
  let done = 0;
  const times = await timeVariants(
    probedKernels.flatMap((probed) => [variantOf(probed), surroundingsOf(probed)]),
    {
      ...{ runtime, sessionOptions, budgetMs, signal },
      onVariant: ({ key }) => {
        if (!key.startsWith('nothing')) onProgress?.(++done, total, key);
      },
    },
  );
  const { modelName, architecture, ...facts } = readCpuFacts();
  return {
    schemaVersion: 1,
    probeVersion,
    runtime: { id: runtime.id, version },
    cpu: { modelName, architecture, features: featuresOf({ modelName, architecture, ...facts }) },
    behaviour: { u8s8 },
    kernels: [{ kernel: 'run', rows: 1, depth: 1, columns: 1, microseconds: runUs }, ...kernelTimes(times)],
    measuredAt: new Date().toISOString(),
    durationMs: Math.round(performance.now() - start),
    unrest: unrestOf(times),
  };
}

/** No kernel takes less: the difference of two times is no finer. */
const leastUs = 0.05;

function kernelTimes(times: ReadonlyMap<string, VariantTime>): KernelTime[] {
  const shortestUs = (key: string): number => {
    const time = times.get(key);
    if (!time) throw new OptimumError('E_INTERNAL', `Kernel "${key}" was not timed.`);
    return time.shortestUs;
  };
  return probedKernels.map((probed) => {
    const { kernel, rows, depth, columns, copies, count = 1 } = probed;
    const netUs = shortestUs(variantOf(probed).key) - shortestUs(surroundingsOf(probed).key);
    const microseconds = Math.max(leastUs, netUs / (count * copies));
    return { kernel, rows, depth, columns, microseconds: Number(microseconds.toPrecision(5)) };
  });
}

/** That of the median kernel: one that was hit by chance says nothing about the others. */
function unrestOf(times: ReadonlyMap<string, VariantTime>): number {
  const sorted = [...times.values()].map(({ unrest }) => unrest).sort((a, b) => a - b);
  return Number((sorted[sorted.length >> 1] ?? 0).toPrecision(3));
}
