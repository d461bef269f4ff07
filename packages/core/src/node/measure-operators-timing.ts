import type { Runtime, Session, SessionOptions } from '../backend/index.ts';
import { throwIfAborted } from '../foundation/index.ts';
import { serializeModel } from '../onnx/index.ts';
import type { Variant } from './measure-operators-branch.ts';
import { variantTree } from './measure-operators-tree.ts';

export interface TimingOptions {
  readonly runtime: Runtime;
  readonly sessionOptions: SessionOptions;
  readonly budgetMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Weights of the variants that one process holds at a time. */
const batchByteLength = 256 << 20;

/**
 * Shortest running time of each variant in microseconds, by its key: what disturbs a run only ever makes it longer. The
 * variants take turns, so that no one has all of a bad moment.
 */
export async function timeVariants(variants: readonly Variant[], options: TimingOptions): Promise<Map<string, number>> {
  const distinct = [...new Map(variants.map((variant) => [variant.key, variant])).values()];
  const times = new Map<string, number>();
  for (const batch of batches(distinct)) {
    const { model, feedsOf } = variantTree(batch);
    const session = await options.runtime.createSession({ bytes: serializeModel(model) }, options.sessionOptions);
    try {
      const budgetMs = (options.budgetMs * batch.length) / distinct.length;
      const run = (variant: Variant, repetitions: number) => session.time(feedsOf(variant), repetitions);
      await timeBatch(batch, run, { budgetMs, signal: options.signal }, times);
    } finally {
      await session.close();
    }
  }
  return times;
}

function batches(variants: readonly Variant[]): Variant[][] {
  const result: Variant[][] = [];
  let room = 0;
  for (const variant of variants) {
    if (result.length === 0 || variant.byteLength > room) {
      result.push([]);
      room = batchByteLength;
    }
    result.at(-1)?.push(variant);
    room -= variant.byteLength;
  }
  return result;
}

/** One turn of a variant lasts about this long. */
const turnMs = 1;

async function timeBatch(
  variants: readonly Variant[],
  run: (variant: Variant, repetitions: number) => ReturnType<Session['time']>,
  { budgetMs, signal }: Pick<TimingOptions, 'budgetMs' | 'signal'>,
  times: Map<string, number>,
): Promise<void> {
  const end = performance.now() + budgetMs;
  const take = async (variant: Variant, repetitions: number): Promise<void> => {
    throwIfAborted(signal);
    const shortestUs = Math.min(...(await run(variant, repetitions))) * 1000;
    times.set(variant.key, Math.min(times.get(variant.key) ?? Number.POSITIVE_INFINITY, shortestUs));
  };
  // The first runs make room and warm up; their time tells how many fit into a turn.
  for (const variant of variants) await take(variant, 3);
  for (let round = 0; round < mostRounds && (round === 0 || performance.now() < end); round++) {
    for (const variant of variants) {
      const onceMs = (times.get(variant.key) as number) / 1000;
      await take(variant, Math.min(20, Math.max(2, Math.round(turnMs / onceMs))));
    }
  }
}

const mostRounds = 15;
