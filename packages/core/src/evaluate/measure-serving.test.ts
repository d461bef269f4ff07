import { describe, expect, it } from 'vitest';
import { compareServing, driftOf, measureServing } from './measure-serving.ts';
import { blockOf, type ServingBlock, type ServingRound } from './serving-block.ts';

const block = (ms: number, joulesPerRun?: number): ServingBlock => ({
  latenciesMs: [ms, ms],
  samplesPerSecond: 1000 / ms,
  ...(joulesPerRun !== undefined && { joulesPerRun }),
});
const round = (...blocks: readonly ServingBlock[]): ServingRound => ({ blocks, loadMs: 5, residentBytes: 100 });

describe('blockOf', () => {
  it('of one instance is its runs', () => {
    const found = blockOf([{ endMs: 100, latenciesMs: [10, 30] }], 4);
    expect(found).toEqual({ latenciesMs: [10, 30], samplesPerSecond: 200 });
  });

  it('of several is what they did while all were at work', () => {
    // The first runs from 0 to 40, the second from 10 to 50: together from 10 to 40.
    const found = blockOf(
      [
        { endMs: 40, latenciesMs: [10, 10, 10, 10] },
        { endMs: 50, latenciesMs: [20, 20] },
      ],
      1,
    );
    // Three runs of the first, and one and a half of the second.
    expect(found.samplesPerSecond).toBeCloseTo(4.5 / 0.03, 9);
    expect(found.latenciesMs).toEqual([10, 10, 10, 20]);
  });

  it('of instances that never were at work together adds their rates up', () => {
    const found = blockOf(
      [
        { endMs: 10, latenciesMs: [10] },
        { endMs: 100, latenciesMs: [20] },
      ],
      2,
    );
    expect(found).toEqual({ latenciesMs: [10, 20], samplesPerSecond: 300 });
  });
});

describe('measureServing', () => {
  it('takes a disturbed block out of the throughput, and keeps its latencies', () => {
    const rounds = [round(block(10), block(500), block(10)), round(block(10), block(10), block(10))];
    const { throughput, latencyMs, runs } = measureServing(rounds, { seed: 1 });
    expect(throughput.value).toBeCloseTo(100, 9);
    expect(latencyMs.p99.value).toBeGreaterThan(400);
    expect(runs).toBe(12);
  });

  it('makes a price of an hour one of a million, and turns the interval over', () => {
    const { costPerMillion } = measureServing([round(block(10)), round(block(20))], { seed: 1, pricePerHour: 3.6 });
    // 100/√2 samples a second at 0.001 a second.
    expect(costPerMillion?.value).toBeCloseTo(10 * Math.SQRT2, 9);
    expect(costPerMillion?.low).toBeLessThan(costPerMillion?.high as number);
  });

  it('has energy only where every round has it', () => {
    const [known, unknown] = [round(block(10, 2)), round(block(10))];
    expect(measureServing([known, known], { seed: 1 }).joulesPerRun?.value).toBeCloseTo(2, 12);
    expect(measureServing([known, unknown], { seed: 1 })).not.toHaveProperty('joulesPerRun');
  });

  it('keeps 2000 latencies at most', () => {
    const many = { ...block(1), latenciesMs: Array.from({ length: 9001 }, (_, index) => 1 + index) };
    const { latenciesMs, runs } = measureServing([round(many)], { seed: 1 });
    expect(runs).toBe(9001);
    expect(latenciesMs.length).toBeLessThanOrEqual(2000);
    expect(latenciesMs.at(-1)).toBeGreaterThan(8990);
  });
});

describe('compareServing', () => {
  it('compares neighbours in time: drift cancels', () => {
    const drift = [1, 2, 4, 8];
    const base = [round(...drift.map((one) => block(10 * one))), round(...drift.map((one) => block(30 * one)))];
    const own = [round(...drift.map((one) => block(5 * one))), round(...drift.map((one) => block(15 * one)))];
    for (const by of ['latency', 'throughput'] as const) {
      const { value, low, high, verdict } = compareServing(base, own, by);
      for (const number of [value, low, high]) expect(number).toBeCloseTo(2, 9);
      expect(verdict).toBe('faster');
    }
    expect(compareServing(base, base, 'latency')).toMatchObject({ value: 1, verdict: 'same' });
  });
});

describe('driftOf', () => {
  it('is what all contestants have in common', () => {
    const slower = [10, 10, 20, 20].map((ms) => round(block(ms)));
    const steady = [10, 30, 10, 30].map((ms) => round(block(ms)));
    expect(driftOf([slower, slower])).toBeCloseTo(2, 9);
    expect(driftOf([steady])).toBeCloseTo(1, 9);
    expect(driftOf([[round(block(3))]])).toBe(1);
  });
});
