import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OptimumError } from '../foundation/index.ts';
import { mergeStatistics } from './merge-statistics.ts';
import type { TensorObservation } from './observation.ts';
import { formatStatistics, parseStatistics, statisticsPieces } from './parse-statistics.ts';
import type { Statistics } from './statistics.ts';
import { observationOf } from './test-observation.ts';

const hash = 'a'.repeat(64);
const statisticsOf = (from: number, to: number, tensors: Record<string, TensorObservation>): Statistics => ({
  version: 1,
  sessions: {
    model: {
      model: hash,
      requests: hash,
      data: [{ hash, source: 'data.jsonl', ranges: [[from, to]] }],
      samples: to - from,
      tensors,
    },
  },
});
const statistics = (from: number, to: number, values: readonly number[]): Statistics =>
  statisticsOf(from, to, { x: observationOf(values) });

/** Names that every object has, or that mean something to it. */
const names = fc.oneof(fc.constantFrom('constructor', '__proto__', 'toString', 'a.b', ''), fc.string());
const tensors = fc
  .array(fc.tuple(names, fc.array(fc.float(), { maxLength: 5 })), { maxLength: 4 })
  .map((entries) => Object.fromEntries(entries.map(([name, values]) => [name, observationOf(values)])));

describe('statistics', () => {
  it('are written piece by piece as JSON.stringify writes them whole, a tensor at most in each', () => {
    fc.assert(
      fc.property(tensors, (own) => {
        const whole = statisticsOf(0, 1, own);
        const pieces = [...statisticsPieces(whole)];
        expect(pieces.join('')).toBe(`${JSON.stringify(whole)}\n`);
        const longest = Math.max(...Object.values(own).map((one) => JSON.stringify(one).length), 200);
        expect(pieces.every((piece) => piece.length <= longest)).toBe(true);
      }),
    );
    expect(formatStatistics({ version: 1, sessions: {} })).toBe('{"version":1,"sessions":{}}\n');
  });

  it('merge to the same bytes in any order, and read back as they were', () => {
    const parts = [statistics(0, 2, [1, 2]), statistics(2, 5, [3]), statistics(9, 10, [-7])];
    const merged = formatStatistics(mergeStatistics(parts));
    expect(formatStatistics(mergeStatistics([...parts].reverse()))).toBe(merged);
    expect(formatStatistics(parseStatistics(merged))).toBe(merged);
    expect(parseStatistics(merged).sessions.model?.data[0]?.ranges).toEqual([
      [0, 5],
      [9, 10],
    ]);
  });

  it('refuse to count samples twice, and other models', () => {
    expect(() => mergeStatistics([statistics(0, 5, [1]), statistics(4, 6, [2])])).toThrow(/samples 4 to 4/);
    const { model } = statistics(5, 6, [1]).sessions;
    const other = { version: 1, sessions: { model: { ...model, model: 'b'.repeat(64) } } } as Statistics;
    expect(() => mergeStatistics([statistics(0, 5, [1]), other])).toThrow(/different model/);
  });

  it('say all that is wrong with a file', () => {
    const text = formatStatistics(statistics(0, 2, [1, 2]));
    const broken = text.replace('"counts":[1,1]', '"counts":[1,2]').replace('"runs":1', '"runs":-1');
    expect(() => parseStatistics(broken, 'f.json')).toThrow(/runs: expected.*add up to elements/);
    expect(() => parseStatistics('{', 'f.json')).toThrow(/not JSON/);
  });

  it('are refused with our own error, however they are mutated', () => {
    const text = formatStatistics(statistics(0, 2, [1, 2]));
    const junk = fc.constantFrom('null', '-1', '1e999', '[]', '{}', '"x"', 'true', '9007199254740993');
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.nat(12), junk, (at, length, insert) => {
        try {
          parseStatistics(text.slice(0, at) + insert + text.slice(at + length));
        } catch (error) {
          expect(OptimumError.isInstance(error) && error.code).toBe('E_STATISTICS_INVALID');
        }
      }),
      { numRuns: 500 },
    );
  });

  it('read back as they were, whatever tensors are called and showed', () => {
    fc.assert(
      fc.property(tensors, (own) => {
        const text = formatStatistics(statisticsOf(0, 1, own));
        expect(formatStatistics(parseStatistics(text))).toBe(text);
      }),
    );
  });

  it('add up in any order and grouping to the same bytes, whatever tensors are called', () => {
    fc.assert(
      fc.property(tensors, tensors, tensors, (a, b, c) => {
        const parts = [statisticsOf(0, 1, a), statisticsOf(1, 2, b), statisticsOf(5, 7, c)];
        const whole = formatStatistics(mergeStatistics(parts));
        const [x, y, z] = parts as [Statistics, Statistics, Statistics];
        expect(formatStatistics(mergeStatistics([z, mergeStatistics([y, x])]))).toBe(whole);
        expect(formatStatistics(mergeStatistics([mergeStatistics([z, x]), y]))).toBe(whole);
      }),
    );
  });

  const observed = observationOf([-1, 2, 2, 7]);
  const { histogram = { bins: [], counts: [] } } = observed;
  it.each<[string, Record<string, unknown>, RegExp]>([
    ['negative counts', { excluded: { nan: -1, infinite: 0, sentinel: 0 } }, /excluded\.nan: expected a whole number/],
    ['counts that are no numbers', { elements: null }, /elements: expected a whole number/],
    ['more runs than values', { runs: 5 }, /runs: expected 1 to elements/],
    ['a mask as range', { max: 3.4e38 }, /max: expected a number/],
    ['ends that are turned around', { min: 8 }, /min is above max/],
    ['a sum without end', { minSum: '9'.repeat(101) }, /minSum: expected a whole number as text/],
    ['unsorted bins', { histogram: { ...histogram, bins: [...histogram.bins].reverse() } }, /bins: expected ascending/],
    ['bins of infinity', { histogram: { ...histogram, bins: [1, 2, 0x7f80] } }, /bins: expected ascending/],
    ['bins outside of the range', { min: 2 }, /bins: expected no bins outside/],
    ['fewer counts than bins', { histogram: { ...histogram, counts: [1] } }, /as many counts/],
    ['counts of nothing', { histogram: { ...histogram, counts: [0, 4, 0] } }, /counts above 0/],
    ['channels of two lengths', { channels: { axis: 0, min: [1], max: [] } }, /as many max/],
    ['channels that are turned around', { channels: { axis: 0, min: [1], max: [0] } }, /a min is above its max/],
  ])('refuse %s, with the place', (_, change, message) => {
    const text = JSON.stringify(statisticsOf(0, 1, { 'a\u001b[2J': { ...observed, ...change } as TensorObservation }));
    expect(() => parseStatistics(text)).toThrow(expect.objectContaining({ code: 'E_STATISTICS_INVALID' }));
    expect(() => parseStatistics(text)).toThrow(message);
    // A terminal would obey the name of the tensor.
    expect(() => parseStatistics(text)).toThrow(/sessions\.model\.tensors\."a\\u001b\[2J"/);
  });

  it('refuse a number of samples that the ranges do not give', () => {
    const { model } = statistics(0, 2, [1]).sessions;
    const text = JSON.stringify({ version: 1, sessions: { model: { ...model, samples: 3 } } });
    expect(() => parseStatistics(text)).toThrow(/samples: expected as many as data lists, 2/);
  });
});
