import type { Runtime, Session, SessionOptions } from '../../backend/index.ts';
import { throwIfAborted } from '../../foundation/index.ts';
import { serializeModel } from '../../onnx/index.ts';
import type { Variant } from './variant.ts';
import { branchOf, variantTree } from './variant-tree.ts';

export interface TimingOptions {
  readonly runtime: Runtime;
  readonly sessionOptions: SessionOptions;
  /** Time that running may take, loading not counted. */
  readonly budgetMs: number;
  readonly signal: AbortSignal | undefined;
  /** Told when a variant is run for the first time. */
  readonly onVariant?: ((variant: Variant) => void) | undefined;
}

export interface VariantTime {
  /** Shortest time of a run, in microseconds. */
  readonly shortestUs: number;
  /** How far two halves of the runs, taken by turns, disagree on it: 0 on a quiet machine, 1 where one is twice the other. */
  readonly unrest: number;
}

/** Weights of the variants that one process holds at a time. While it loads, each level of the tree has a copy of them. */
const batchByteLength = 128 << 20;

/**
 * Shortest running time of each variant, by its key: what disturbs a run only ever makes it longer. The variants take
 * turns, so that no one has all of a bad moment.
 */
export async function timeVariants(
  variants: readonly Variant[],
  options: TimingOptions,
): Promise<Map<string, VariantTime>> {
  const distinct = [...new Map(variants.map((variant) => [variant.key, variant])).values()];
  const times = new Map<string, VariantTime>();
  for (const batch of batches(distinct)) {
    const { model, feedsOf } = variantTree(batch);
    const session = await options.runtime.createSession({ bytes: serializeModel(model) }, options.sessionOptions);
    try {
      const budgetMs = (options.budgetMs * batch.length) / distinct.length;
      const run = (variant: Variant, repetitions: number) => session.time(feedsOf(variant), repetitions);
      for (const [key, time] of await timeBatch(batch, run, { ...options, budgetMs })) times.set(key, time);
    } finally {
      await session.close();
    }
  }
  return times;
}

/** Weights are counted once for each branch. */
function batches(variants: readonly Variant[]): Variant[][] {
  const result: Variant[][] = [];
  const branches = new Set<string>();
  let room = 0;
  for (const variant of variants) {
    const byteLength = branches.has(branchOf(variant)) ? 0 : variant.byteLength;
    if (result.length === 0 || byteLength > room) {
      result.push([]);
      branches.clear();
      room = batchByteLength;
    }
    result.at(-1)?.push(variant);
    branches.add(branchOf(variant));
    room -= byteLength;
  }
  return result;
}

/** One turn of a variant lasts about this long. */
const turnMs = 1;
const mostRounds = 15;

/** Shortest times in microseconds, of even and of odd turns. */
type Halves = readonly [number, number];
const unknown: Halves = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];

async function timeBatch(
  variants: readonly Variant[],
  run: (variant: Variant, repetitions: number) => ReturnType<Session['time']>,
  { budgetMs, signal, onVariant }: Pick<TimingOptions, 'budgetMs' | 'signal' | 'onVariant'>,
): Promise<Map<string, VariantTime>> {
  const end = performance.now() + budgetMs;
  const halves = new Map<string, Halves>();
  const take = async (variant: Variant, turn: number, repetitions: number): Promise<void> => {
    throwIfAborted(signal);
    const us = 1000 * Math.min(...(await run(variant, repetitions)));
    const [even, odd] = halves.get(variant.key) ?? unknown;
    halves.set(variant.key, turn % 2 === 0 ? [Math.min(even, us), odd] : [even, Math.min(odd, us)]);
  };
  // The first runs make room and warm up; their time tells how many fit into a turn.
  for (const variant of variants) {
    onVariant?.(variant);
    await take(variant, 0, 3);
  }
  for (let round = 1; round <= mostRounds && (round === 1 || performance.now() < end); round++) {
    for (const variant of variants) {
      const onceMs = Math.min(...(halves.get(variant.key) as Halves)) / 1000;
      await take(variant, round, Math.min(20, Math.max(2, Math.round(turnMs / onceMs))));
    }
  }
  return new Map([...halves].map(([key, [even, odd]]) => [key, timeOf(even, odd)]));
}

const timeOf = (even: number, odd: number): VariantTime => ({
  shortestUs: Math.min(even, odd),
  unrest: Math.min(1, Math.max(even, odd) / Math.min(even, odd) - 1),
});
