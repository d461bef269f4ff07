import {
  type BenchmarkReport,
  compareServing,
  measureServing,
  type SearchTrial,
  type ServingConfiguration,
  type ServingRound,
} from '../evaluate/index.ts';
import { type ErrorCode, OptimumError, throwIfAborted } from '../foundation/index.ts';
import { inputSizesOf, makeInputs } from '../pipeline/index.ts';
import { contestantOf, type MeasureContext, roundOptions } from './benchmark-context.ts';
import type { ShapedInput } from './benchmark-inputs.ts';
import { independentRounds } from './benchmark-machine.ts';
import { loadModelSync } from './load-model.ts';
import { type Candidate, coordinatesOf, keyOf } from './search-coordinates.ts';
import { runRounds } from './serving-rounds.ts';

export interface SearchRequest extends MeasureContext {
  readonly objective: 'latency' | 'throughput';
  /** The model and the shape that settings are searched for. */
  readonly input: ShapedInput;
}

/** Rounds of a trial at most, each a fresh start of both; a candidate must win all of them. */
const mostTrialRounds = 4;
/** Running time of one trial, both contestants. */
const trialMs = 2000;
/** A candidate this much worse after a round is not looked at any longer. */
const hopelessRatio = 0.85;
/** Less than this is not worth a setting that somebody has to keep. */
const worthwhileRatio = 1.01;
/** Settings act on each other, so that all of them are tried again once something has changed. */
const passes = 2;
const usualBatches = [1, 2, 4, 8, 16, 32];

/**
 * Finds serving settings by going through them one at a time, each against the best that is known, side by side. A
 * setting is taken when it wins every round and by at least one per cent; one that is hopeless is left after its first.
 * @throws as `benchmark`
 */
export async function searchServing(request: SearchRequest): Promise<NonNullable<BenchmarkReport['search']>> {
  const { objective, input, configuration } = request;
  const search = new ServingSearch(request);
  let best = await search.start({ configuration: withoutCores(configuration), batch: input.batch });
  for (let pass = 0; pass < passes; pass++) {
    const before = best;
    for (const coordinate of coordinatesOf(objective, request.machine.granted, search.batches))
      for (const candidate of coordinate(best)) if (await search.beats(candidate, best)) best = candidate;
    if (best === before) break;
  }
  return { objective, model: input.file.name, trials: search.trials, best: search.trialOf(best) };
}

/** Which cores an instance gets follows from what is tried. */
const withoutCores = ({ cores, ...rest }: ServingConfiguration): ServingConfiguration => rest;

/** Inputs of every batch to try: those that were asked for, else powers of two; only the given one where it is fixed. */
function inputsByBatch({ objective, request, numbers, input }: SearchRequest): Map<number | undefined, ShapedInput> {
  const inputs = new Map([[input.batch, input]]);
  if (objective === 'latency') return inputs;
  const loaded = loadModelSync(input.file.path);
  try {
    const batches = inputSizesOf(loaded.model).batch === 'any' ? (request.batches ?? usualBatches) : [];
    for (const batch of batches.filter((one) => one !== input.batch)) {
      const sizes = new Map([['batch', batch], ...(input.sequence ? [['sequence', input.sequence] as const] : [])]);
      const feeds = makeInputs(loaded.model, { seed: numbers.seed, variant: 0, sizes });
      inputs.set(batch, { ...input, batch, rows: batch, feeds });
    }
    return inputs;
  } finally {
    loaded.close();
  }
}

/** What ends a candidate and not the search: a batch that the model refuses or memory cannot hold, an allocator that crashes. */
const lostBy: readonly ErrorCode[] = ['E_DATA_MISMATCH', 'E_BACKEND_CRASHED', 'E_BACKEND_TIMEOUT', 'E_LIMIT_MEMORY'];

const isLost = (error: unknown): boolean => OptimumError.isInstance(error) && lostBy.includes(error.code);

class ServingSearch {
  readonly trials: SearchTrial[] = [];
  readonly #byKey = new Map<string, SearchTrial>();
  readonly #request: SearchRequest;
  readonly #inputs: ReadonlyMap<number | undefined, ShapedInput>;

  constructor(request: SearchRequest) {
    this.#request = request;
    this.#inputs = inputsByBatch(request);
  }

  get #rounds(): number {
    return Math.min(mostTrialRounds, this.#request.numbers.rounds);
  }

  get batches(): readonly (number | undefined)[] {
    return [...this.#inputs.keys()];
  }

  /** Measures where the search starts. */
  async start(candidate: Candidate): Promise<Candidate> {
    const [rounds = []] = await this.#run([candidate]);
    this.#keep(candidate, rounds);
    return candidate;
  }

  trialOf = (candidate: Candidate): SearchTrial => this.#byKey.get(keyOf(candidate)) as SearchTrial;

  /** Tries a candidate beside the best one. What was tried before, or does not run, does not win. */
  async beats(candidate: Candidate, best: Candidate): Promise<boolean> {
    throwIfAborted(this.#request.request.signal);
    if (this.#byKey.has(keyOf(candidate))) return false;
    const found = await this.#run([best, candidate]).catch((error: unknown) => {
      if (!isLost(error)) throw error;
      return undefined;
    });
    const [others = [], own = []] = found ?? [];
    if (own.length === 0) return false;
    this.#keep(candidate, own);
    const ratios = own.map((round, index) => this.#ratio([others[index] as ServingRound], [round]));
    return (
      own.length === this.#rounds && ratios.every((ratio) => ratio > 1) && this.#ratio(others, own) >= worthwhileRatio
    );
  }

  #ratio = (others: readonly ServingRound[], own: readonly ServingRound[]): number =>
    compareServing(others, own, this.#request.objective).value;

  #run(candidates: readonly Candidate[]): Promise<ServingRound[][]> {
    const { request } = this.#request;
    const [best, tried] = candidates;
    request.onProgress?.(`trial ${this.trials.length + 1}: ${keyOf(tried ?? (best as Candidate))}`);
    return runRounds(
      candidates.map(({ configuration, batch }) => contestantOf(this.#inputs.get(batch) as ShapedInput, configuration)),
      {
        ...roundOptions(this.#request),
        rounds: this.#rounds,
        durationMs: Math.min(trialMs, this.#request.numbers.durationMs),
        isHopeless: ([others = [], own]) => own !== undefined && this.#ratio(others, own) < hopelessRatio,
      },
    );
  }

  #keep(candidate: Candidate, rounds: readonly ServingRound[]): void {
    const { numbers, machine } = this.#request;
    const measured = rounds.length > 1 ? rounds : blocksAsRounds(rounds);
    const independent = independentRounds(measured.length, machine.busyBefore);
    const { latencyMs, throughput, residentBytes } = measureServing(measured, { seed: numbers.seed, independent });
    const { configuration, batch } = candidate;
    const trial = { configuration, batch, p50Ms: latencyMs.p50, p99Ms: latencyMs.p99, throughput, residentBytes };
    this.trials.push(trial);
    this.#byKey.set(keyOf(candidate), trial);
  }
}

/** What was left after its first round has only the spread of its blocks to show. */
const blocksAsRounds = (rounds: readonly ServingRound[]): ServingRound[] =>
  rounds.flatMap((round) => round.blocks.map((block) => ({ ...round, blocks: [block] })));
