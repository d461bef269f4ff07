import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeObservations } from './merge-observations.ts';
import type { TensorObservation } from './observation.ts';
import { observationOf } from './test-observation.ts';

const run = fc.array(fc.oneof(fc.float(), fc.constantFrom(0, -0, 1e-45, 3.4e38, Number.NaN)), { maxLength: 20 });

describe('mergeObservations', () => {
  it('gives what one observation of all runs gives, in any order and grouping, bit for bit', () => {
    fc.assert(
      fc.property(run, run, run, (a, b, c) => {
        const [x, y, z] = [observationOf(a), observationOf(b), observationOf(c)];
        const whole = JSON.stringify(observationOf(a, b, c));
        expect(JSON.stringify(mergeObservations(mergeObservations(x, y), z))).toBe(whole);
        expect(JSON.stringify(mergeObservations(x, mergeObservations(z, y)))).toBe(whole);
      }),
    );
  });

  it('refuses a range and a histogram of the same tensor', () => {
    const { histogram: _, ...ranges } = observationOf([1]);
    expect(() => mergeObservations(ranges, observationOf([1]), 'x')).toThrow(
      expect.objectContaining({
        code: 'E_STATISTICS_MISMATCH',
        message: expect.stringMatching(/"x" do not go together/),
      }),
    );
  });

  const channels = (axis: number, min: readonly number[], max: readonly number[]): TensorObservation => ({
    ...observationOf([...min, ...max]),
    channels: { axis, min, max },
  });

  it('takes the least and the greatest of each channel', () => {
    const [a, b] = [channels(-1, [0, -2], [1, 5]), channels(-1, [-1, 0], [0, 9])];
    expect(mergeObservations(a, b).channels).toEqual({ axis: -1, min: [-1, -2], max: [1, 9] });
    expect(mergeObservations(b, a)).toEqual(mergeObservations(a, b));
  });

  it('takes the channels of the one that saw values', () => {
    const a = channels(-1, [0], [1]);
    expect(mergeObservations(a, observationOf([Number.NaN])).channels).toEqual(a.channels);
    expect(mergeObservations(observationOf([]), a).channels).toEqual(a.channels);
  });

  it.each([
    ['another axis', channels(1, [0], [1])],
    ['another number of channels', channels(-1, [0, 0], [1, 1])],
    ['none', observationOf([1])],
  ])('has no channels left where the other has %s', (_, other) => {
    const merged = mergeObservations(channels(-1, [0], [1]), other);
    expect(merged.channels).toBeUndefined();
    // For good: what comes later cannot bring them back.
    expect(mergeObservations(merged, channels(-1, [0], [1])).channels).toBeUndefined();
  });
});
