import type { Estimate, ServingMeasurement } from './benchmark-report.ts';
import { type Confidence, geometricEstimate, latencyEstimates } from './estimate.ts';
import { mean, median } from './quantile.ts';
import type { ServingBlock, ServingRound } from './serving-block.ts';
import { type Verdict, verdictOf } from './verdict.ts';

/** Latencies that are kept for charts. */
const keptLatencies = 2000;

export interface MeasureOptions extends Confidence {
  readonly seed: number;
  /** Price of the machine for an hour. */
  readonly pricePerHour?: number | undefined;
}

/** What the rounds of one contestant show. Each round, with its fresh processes, is one observation. */
export function measureServing(rounds: readonly ServingRound[], options: MeasureOptions): ServingMeasurement {
  const latencies = rounds.map(({ blocks }) => blocks.flatMap(({ latenciesMs }) => latenciesMs));
  const throughput = geometricEstimate(rounds.map(samplesPerSecond), options);
  const joules = rounds.map(joulesPerRun).filter((one) => one !== undefined);
  const { pricePerHour } = options;
  return {
    latencyMs: latencyEstimates(latencies, options.seed, options),
    throughput,
    latenciesMs: thinned(latencies.flat()),
    runs: latencies.flat().length,
    loadMs: median(rounds.map(({ loadMs }) => loadMs)),
    residentBytes: median(rounds.map(({ residentBytes }) => residentBytes)),
    ...(joules.length === rounds.length && { joulesPerRun: geometricEstimate(joules, options) }),
    ...(pricePerHour !== undefined && { costPerMillion: costOf(throughput, pricePerHour) }),
  };
}

/** Median of the blocks: one that was disturbed does not count. */
const samplesPerSecond = ({ blocks }: ServingRound): number => median(blocks.map((block) => block.samplesPerSecond));

function joulesPerRun({ blocks }: ServingRound): number | undefined {
  const known = blocks.map((block) => block.joulesPerRun).filter((joules) => joules !== undefined && joules > 0);
  return known.length > 0 ? mean(known as number[]) : undefined;
}

function costOf({ value, low, high }: Estimate, pricePerHour: number): Estimate {
  const cost = (perSecond: number): number => (1e6 * pricePerHour) / 3600 / perSecond;
  return { value: cost(value), low: cost(high), high: cost(low) };
}

/** Every n-th of them, so that few enough are left. */
function thinned(values: readonly number[]): number[] {
  const step = Math.max(1, Math.ceil(values.length / keptLatencies));
  return values.filter((_, index) => index % step === 0);
}

export interface RatioEstimate extends Estimate {
  readonly verdict: Verdict;
}

/**
 * How much better a contestant is than another one that ran beside it, block by block: above 1 it is. `latency`: medians
 * of the other's over its own. `throughput`: its own over the other's.
 */
export function compareServing(
  others: readonly ServingRound[],
  own: readonly ServingRound[],
  by: 'latency' | 'throughput',
  confidence: Confidence = {},
): RatioEstimate {
  const worth = by === 'latency' ? speedOf : (block: ServingBlock): number => block.samplesPerSecond;
  const ratios = own.map(({ blocks }, round) => roundRatio(others[round]?.blocks ?? [], blocks, worth));
  const estimate = geometricEstimate(ratios, confidence);
  return { ...estimate, verdict: verdictOf(estimate) };
}

const speedOf = ({ latenciesMs }: ServingBlock): number => 1 / median(latenciesMs);

/** Neighbours in time are compared, so that drift cancels; of these ratios the median. */
const roundRatio = (
  others: readonly ServingBlock[],
  own: readonly ServingBlock[],
  worth: (block: ServingBlock) => number,
): number => median(own.map((block, index) => worth(block) / worth(others[index] as ServingBlock)));

/**
 * How much longer all contestants took in the second half of the rounds than in the first, as a factor: a processor that
 * lowered its frequency, a neighbour that came. 1 for a single round.
 */
export function driftOf(contestants: readonly (readonly ServingRound[])[]): number {
  const drifts = contestants.flatMap((rounds) => {
    const speeds = rounds.map(({ blocks }) => median(blocks.map((block) => 1 / speedOf(block))));
    const half = speeds.length >> 1;
    return half === 0 ? [] : [median(speeds.slice(-half)) / median(speeds.slice(0, half))];
  });
  return drifts.length === 0 ? 1 : geometricEstimate(drifts).value;
}
