import type { SearchTrial } from '@optimum/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { paretoFront, placeOf } from './pareto.ts';

const exactly = (value: number) => ({ value, low: value, high: value });

const trial = (latency: number, throughput: number, threads = 1): SearchTrial => ({
  configuration: { threads, instances: 1, config: {}, environment: {} },
  batch: 1,
  p50Ms: exactly(latency),
  p99Ms: exactly(latency),
  throughput: exactly(throughput),
  residentBytes: 0,
});

describe('paretoFront', () => {
  it('keeps what no other beats, fastest first', () => {
    const [fast, middle, beaten, most] = [trial(10, 5), trial(20, 8), trial(25, 7), trial(40, 9)] as const;
    expect(paretoFront([most, beaten, fast, middle])).toEqual([fast, middle, most]);
  });

  it('leaves out exactly what another one beats', () => {
    const figures = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }));
    fc.assert(
      fc.property(fc.array(figures, { minLength: 1, maxLength: 12 }), (pairs) => {
        const trials = pairs.map(([latency, throughput]) => trial(latency, throughput));
        const front = paretoFront(trials);
        const beats = (a: SearchTrial, b: SearchTrial): boolean =>
          a.p50Ms.value <= b.p50Ms.value && a.throughput.value >= b.throughput.value;
        for (const one of trials) expect(front.some((kept) => beats(kept, one))).toBe(true);
        for (const one of front) expect(front.some((other) => other !== one && beats(other, one))).toBe(false);
      }),
    );
  });
});

describe('placeOf', () => {
  it('finds the best by its settings, also after JSON', () => {
    const trials = [trial(1, 1, 1), trial(1, 1, 2)];
    expect(placeOf(trials, JSON.parse(JSON.stringify(trials[1])))).toBe(1);
    expect(placeOf(trials, trial(1, 1, 3))).toBe(-1);
  });
});
