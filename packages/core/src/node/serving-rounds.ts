import { setTimeout as wait } from 'node:timers/promises';
import type { ModelSource } from '../backend/index.ts';
import { blockOf, median, type ServingBlock, type ServingConfiguration, type ServingRound } from '../evaluate/index.ts';
import { type Random, seededRandom, throwIfAborted } from '../foundation/index.ts';
import type { Feeds } from '../pipeline/index.ts';
import type { EnergyCounter } from './energy-counter.ts';
import { type GroupContext, ServingGroup } from './serving-group.ts';

/** One model in one configuration on one input. */
export interface Contestant {
  readonly name: string;
  readonly model: ModelSource;
  readonly feeds: Feeds;
  /** Rows of the batch. */
  readonly samplesPerRun: number;
  readonly configuration: ServingConfiguration;
}

export interface RoundOptions extends GroupContext {
  readonly rounds: number;
  /** Running time of all rounds and contestants together; loading comes on top. */
  readonly durationMs: number;
  /** Decides the order of the contestants. */
  readonly seed: number;
  readonly energy?: EnergyCounter | undefined;
  /** The clock, in milliseconds. @defaultValue performance.now */
  readonly now?: (() => number) | undefined;
  readonly onRound?: ((done: number, total: number) => void) | undefined;
  /** Asked after each round with what was found so far; true ends the comparison. */
  readonly isHopeless?: ((found: readonly (readonly ServingRound[])[]) => boolean) | undefined;
}

/** Runs of a block take about so long: many short ones average out, and yet the turns change often. */
const blockMs = { least: 20, most: 200, perRound: 8 } as const;
const mostRepetitions = 500;
const mostBlocks = 40;
/** A run this long does not notice what the caches still hold of another model. */
const longRunMs = 100;
/** Threads of the runtime go on looking for work for about a millisecond after a run. */
const spinningMs = 5;

/**
 * Runs contestants beside each other. In each round every one gets fresh processes, because where a process lies in
 * memory makes it a few per cent faster or slower for as long as it lives; within a round they take turns in blocks of
 * runs, in random order and then in its reverse (A B B A), so that drift and neighbours hit all alike.
 * @returns rounds by contestant, in the order given
 * @throws as `createSession` and `Session.time`
 */
export async function runRounds(contestants: readonly Contestant[], options: RoundOptions): Promise<ServingRound[][]> {
  const random = seededRandom(options.seed);
  const found: ServingRound[][] = contestants.map(() => []);
  for (let round = 0; round < options.rounds; round++) {
    throwIfAborted(options.signal);
    const results = await runRound(contestants, options, random);
    results.forEach((result, index) => found[index]?.push(result));
    options.onRound?.(round + 1, options.rounds);
    if (options.isHopeless?.(found)) break;
  }
  return found;
}

async function runRound(
  contestants: readonly Contestant[],
  options: RoundOptions,
  random: Random,
): Promise<ServingRound[]> {
  const groups = new Map<Contestant, ServingGroup>();
  try {
    for (const contestant of shuffled(contestants, random))
      groups.set(contestant, await ServingGroup.open(contestant.model, contestant.configuration, options));
    const turns: Turn[] = [];
    for (const contestant of contestants)
      turns.push(await warmUp(contestant, groups.get(contestant) as ServingGroup, options, contestants.length));
    const blocks = await takeTurns(turns, options, random);
    return await Promise.all(
      turns.map(async ({ group }, index) => ({
        blocks: blocks[index] as ServingBlock[],
        loadMs: group.loadMs,
        residentBytes: await group.residentBytes(),
      })),
    );
  } finally {
    await Promise.all([...groups.values()].map((group) => group.close()));
  }
}

interface Turn {
  readonly contestant: Contestant;
  readonly group: ServingGroup;
  readonly latencyMs: number;
  /** Runs of one block. */
  readonly repetitions: number;
}

/** The first runs allocate; the second tells how long a run takes. */
async function warmUp(
  contestant: Contestant,
  group: ServingGroup,
  { durationMs, rounds, now = clock }: RoundOptions,
  contestants: number,
): Promise<Turn> {
  const times = await group.time(contestant.feeds, 2, now);
  const latencyMs = Math.max(1e-3, median(times.map(({ latenciesMs }) => latenciesMs.at(-1) ?? 0)));
  const share = durationMs / rounds / contestants / blockMs.perRound;
  const wanted = Math.min(blockMs.most, Math.max(blockMs.least, share));
  const repetitions = Math.min(mostRepetitions, Math.max(1, Math.round(wanted / latencyMs)));
  return { contestant, group, latencyMs, repetitions };
}

const clock = (): number => performance.now();

/** Blocks by turn. Their number is even, so that every order has its reverse. */
async function takeTurns(turns: readonly Turn[], options: RoundOptions, random: Random): Promise<ServingBlock[][]> {
  const blocks: ServingBlock[][] = turns.map(() => []);
  const onceMs = turns.reduce((sum, turn) => sum + turn.latencyMs * turn.repetitions, 0);
  const pairs = Math.round(options.durationMs / options.rounds / onceMs / 2);
  for (let pair = 0; pair < Math.min(mostBlocks / 2, Math.max(1, pairs)); pair++) {
    const order = shuffled([...turns.keys()], random);
    for (const index of [...order, ...[...order].reverse()]) {
      throwIfAborted(options.signal);
      blocks[index]?.push(await runBlock(turns[index] as Turn, options, turns.length > 1));
    }
  }
  return blocks;
}

/** @param isShared that another contestant ran before: caches hold its data, and its threads may still be spinning */
async function runBlock(turn: Turn, { energy, now = clock }: RoundOptions, isShared: boolean): Promise<ServingBlock> {
  const { contestant, group, latencyMs, repetitions } = turn;
  if (isShared && contestant.configuration.threads > 1) await wait(spinningMs);
  if (isShared && latencyMs < longRunMs) await group.time(contestant.feeds, 1, now);
  const before = energy?.() ?? 0;
  const instances = await group.time(contestant.feeds, repetitions, now);
  const joules = energy && energy() - before;
  const block = blockOf(instances, contestant.samplesPerRun);
  const runs = repetitions * contestant.configuration.instances;
  return { ...block, ...(joules !== undefined && { joulesPerRun: joules / runs }) };
}

/** A copy in random order. @source Fisher and Yates */
function shuffled<T>(items: readonly T[], random: Random): T[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const other = random.integer(last + 1);
    [order[last], order[other]] = [order[other] as T, order[last] as T];
  }
  return order;
}
