import { seededRandom } from '../foundation/index.ts';
import type { Estimate } from './benchmark-report.ts';
import { mean, quantileOf } from './quantile.ts';

/**
 * Factors of 95 % intervals by degrees of freedom, from 1.
 * @source Student's t distribution, two-sided
 */
const studentFactors = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/** Above the table 1.96 + 2.5/ν, which is never too small by a thousandth. */
const studentFactor = (freedom: number): number => studentFactors[freedom - 1] ?? 1.96 + 2.5 / freedom;

/** How sure a set of rounds makes. */
export interface Confidence {
  /**
   * Rounds that count as independent. On a busy machine what disturbs one round disturbs the next one, too, and fewer
   * count than were run. @defaultValue all
   */
  readonly independent?: number | undefined;
}

/**
 * Geometric mean of one positive number per round with its 95 % interval by Student's t of their logarithms. One round
 * has no interval: it reaches from 0 to infinity.
 */
export function geometricEstimate(values: readonly number[], { independent }: Confidence = {}): Estimate {
  const logarithms = values.map(Math.log);
  const center = mean(logarithms);
  const variance = logarithms.reduce((sum, one) => sum + (one - center) ** 2, 0) / Math.max(1, values.length - 1);
  const half = halfWidth(Math.sqrt(variance), values.length, independent);
  return { value: Math.exp(center), low: Math.exp(center - half), high: Math.exp(center + half) };
}

/** @param deviation of one round */
const halfWidth = (deviation: number, rounds: number, independent = rounds): number =>
  rounds < 2 ? Number.POSITIVE_INFINITY : (studentFactor(rounds - 1) * deviation) / Math.sqrt(independent);

export interface LatencyEstimates {
  readonly p50: Estimate;
  readonly p90: Estimate;
  readonly p99: Estimate;
  readonly mean: Estimate;
}

const replicates = 200;

/**
 * Percentiles and mean over the runs of all rounds, each with its 95 % interval. Runs of one round are alike (one
 * process, one place in memory, one moment), so whole rounds are drawn again, not runs.
 * @source Efron and Tibshirani 1993, bootstrap of clusters; the factor √(n/(n−1)) makes up for few clusters
 */
export function latencyEstimates(
  rounds: readonly (readonly number[])[],
  seed: number,
  { independent }: Confidence = {},
): LatencyEstimates {
  const random = seededRandom(seed);
  const drawn = Array.from({ length: replicates }, () => statisticsOf(rounds.map(() => random.pick(rounds))));
  const found = statisticsOf(rounds);
  const scale = rounds.length > 1 ? rounds.length / Math.sqrt(rounds.length - 1) : 0;
  const [p50, p90, p99, average] = found.map((value, index) => {
    const deviation = deviationOf(drawn.map((statistics) => Math.log(statistics[index] as number)));
    const factor = Math.exp(halfWidth(deviation * scale, rounds.length, independent));
    return { value, low: value / factor, high: value * factor };
  }) as [Estimate, Estimate, Estimate, Estimate];
  return { p50, p90, p99, mean: average };
}

/** p50, p90, p99 and mean. */
function statisticsOf(rounds: readonly (readonly number[])[]): [number, number, number, number] {
  const sorted = Float64Array.from(rounds.flat()).sort();
  return [quantileOf(sorted, 0.5), quantileOf(sorted, 0.9), quantileOf(sorted, 0.99), mean(sorted)];
}

function deviationOf(values: readonly number[]): number {
  const center = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - center) ** 2)));
}
