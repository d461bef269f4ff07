import { describe, expect, it } from 'vitest';
import { seededRandom } from '../foundation/index.ts';
import type { CalibrationMethod } from './calibration-method.ts';
import { entropyThresholdOnnxRuntime } from './entropy-onnxruntime.ts';
import { methodOf } from './method-of.ts';
import { rangeOf } from './range-of.ts';
import { observationOf } from './test-observation.ts';

const uint8 = { elementType: 'uint8', symmetric: false } as const;
const int8 = { elementType: 'int8', symmetric: true } as const;

const names = ['min-max', 'moving-average', 'percentile', 'entropy', 'entropy-onnxruntime:2048', 'mse', 'mean-sigma'];
const methods: readonly CalibrationMethod[] = names.map(methodOf);

function normalNumbers(count: number): number[] {
  const random = seededRandom(3);
  return Array.from({ length: count }, () => random.normal());
}

describe('rangeOf', () => {
  const withOutlier = observationOf([...normalNumbers(4096), 50]);

  it.each(['percentile:99.9', 'entropy', 'mean-sigma:4'])(
    '%s clips a lone outlier of 50 among normal numbers',
    (name) => {
      for (const scheme of [uint8, int8]) {
        const { min, max } = rangeOf(withOutlier, methodOf(name), scheme);
        expect(min).toBeLessThan(-1.5);
        expect(min).toBeGreaterThan(-7);
        expect(max).toBeGreaterThan(1.5);
        expect(max).toBeLessThan(7);
      }
    },
  );

  it('clips nothing with min-max, nor with the 128 bins of ONNX Runtime, which leave one candidate', () => {
    expect(rangeOf(withOutlier, { id: 'min-max' }, uint8).max).toBe(50);
    expect(rangeOf(withOutlier, methodOf('entropy-onnxruntime'), uint8).max).toBe(50);
  });

  it('trades clipping against rounding where levels are few', () => {
    const { min, max } = rangeOf(observationOf(normalNumbers(4096)), { id: 'mse' }, { ...int8, elementType: 'int4' });
    expect(max).toBeLessThan(3.2);
    expect(max).toBeGreaterThan(2);
    expect(min).toBe(-max);
  });

  it('takes the mean over runs of their extremes', () => {
    const observation = observationOf([-1, 0, 2], [-3, 4], [Number.NaN]);
    expect(rangeOf(observation, { id: 'moving-average' }, uint8)).toEqual({ min: -2, max: 3 });
  });

  it('cuts half of the rest off at each end, or all of it off magnitudes', () => {
    const values = Array.from({ length: 1000 }, (_, index) => index + 1);
    const observation = observationOf(values);
    const { min, max } = rangeOf(observation, { id: 'percentile', percentile: 90 }, uint8);
    // Zero is below: nothing is clipped there.
    expect(min).toBe(1);
    // 950 within the width of a bin, 1/128 of an octave.
    expect(Math.abs(max - 950)).toBeLessThan(4);
    const symmetric = rangeOf(observation, { id: 'percentile', percentile: 90 }, int8);
    expect(Math.abs(symmetric.max - 900)).toBeLessThan(4);
  });

  it.each(methods)('stays inside what was seen, and right at the edges: $id', (method) => {
    for (const scheme of [uint8, int8]) {
      for (const values of [[0, 0, 0], [5], [-3, -2], [1e-40], [7, 7, 7], [0, 1e20, 1], [-0]]) {
        const observation = observationOf(values);
        const { min, max } = rangeOf(observation, method, scheme);
        expect(min).toBeGreaterThanOrEqual(observation.min);
        expect(max).toBeLessThanOrEqual(observation.max);
        expect(min).toBeLessThanOrEqual(max);
      }
    }
  });

  it('keeps masks, NaN and infinity out', () => {
    const observation = observationOf([-3.4e38, 1, 2, Number.NaN, Number.POSITIVE_INFINITY, -1e30]);
    expect(observation.excluded).toEqual({ nan: 1, infinite: 1, sentinel: 2 });
    expect(rangeOf(observation, { id: 'min-max' }, uint8)).toEqual({ min: 1, max: 2 });
  });

  it('refuses a tensor that was never seen, and methods that need a histogram that is not there', () => {
    expect(() => rangeOf(observationOf([]), { id: 'min-max' }, uint8)).toThrow(/never showed/);
    const { histogram: _, ...ranges } = observationOf([1]);
    expect(() => rangeOf(ranges, { id: 'mse' }, uint8)).toThrow(/needs histograms/);
  });
});

describe('entropyThresholdOnnxRuntime', () => {
  // f(m) = frac(k·m / 65536) - 1/2 for k = 0 … 19999; f(2654435761) + f(40503) + f(48271) + f(69621) in float32, the
  // sixth replaced by 9; numpy.histogram over [-9, 9]; HistogramCollector.get_entropy_threshold of onnxruntime 1.30
  // with 128 levels.
  it.each([
    [128, -2, 9],
    [512, -2, 2.671875],
    [1024, -2, 2.4609375],
    [2048, -2, 2.663086],
  ])('agrees with onnxruntime 1.30 at %i bins', (bins, min, max) => {
    const part = (k: number, factor: number): number => ((k * factor) % 65536) / 65536 - 0.5;
    const values = Array.from({ length: 20000 }, (_, k) =>
      Math.fround(part(k, 2654435761) + part(k, 40503) + part(k, 48271) + part(k, 69621)),
    );
    values[5] = 9;
    const counts = new Array<number>(bins).fill(0);
    for (const value of values) {
      const bin = Math.min(bins - 1, Math.floor(((value + 9) / 18) * bins));
      counts[bin] = (counts[bin] as number) + 1;
    }
    const edges = Array.from({ length: bins + 1 }, (_, index) => -9 + (18 * index) / bins);
    const range = entropyThresholdOnnxRuntime({ counts, edges }, 128);
    // The collector clips to what was seen.
    expect([Math.max(range.min, -2), Math.min(range.max, 9)]).toEqual([min, expect.closeTo(max, 6)]);
  });
});

describe('methodOf', () => {
  it('reads names and numbers', () => {
    expect(methodOf('percentile:99.9')).toEqual({ id: 'percentile', percentile: 99.9 });
    expect(methodOf('mean-sigma:4')).toEqual({ id: 'mean-sigma', sigmas: 4 });
    expect(methodOf('entropy')).toEqual({ id: 'entropy', bins: 2048, quantizedBins: 128 });
  });

  it.each(['percentil', 'percentile:101', 'percentile:', 'min-max:3', 'entropy:12', 'mse:1:2', '__proto__'])(
    'refuses %s',
    (text) => {
      expect(() => methodOf(text)).toThrow(/alibration method/);
    },
  );
});
