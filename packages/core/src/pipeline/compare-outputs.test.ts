import { describe, expect, it } from 'vitest';
import type { TensorData } from '../backend/index.ts';
import {
  addSums,
  compareNumbers,
  compareOutputs,
  differenceOf,
  numbersOf,
  type OutputSums,
} from './compare-outputs.ts';

const float = (values: number[], dims = [values.length]): TensorData => ({
  elementType: 'float32',
  dims,
  bytes: new Uint8Array(Float32Array.from(values).buffer),
});

describe('compareOutputs', () => {
  it('finds equal outputs equal', () => {
    const sums = compareOutputs({ y: float([1, 2, 3]) }, { y: float([1, 2, 3]) }).get('y') as OutputSums;
    expect(differenceOf('y', sums)).toEqual({
      name: 'y',
      relativeError: 0,
      cosine: 1,
      sameTop: 1,
      elements: 3,
      nonFinite: 0,
    });
  });

  it('measures error, angle and the answer', () => {
    const difference = differenceOf('y', compareNumbers([3, 4, 1, 0], [3, 3, 0, 1], 2));
    expect(difference.relativeError).toBeCloseTo(Math.sqrt(3 / 26), 12);
    expect(difference.cosine).toBeCloseTo(21 / Math.sqrt(26 * 19), 12);
    expect(difference.sameTop).toBe(0);
  });

  it('pools runs, so that outputs of few elements are judged together', () => {
    const near = compareNumbers([0.01], [-0.01], 1);
    expect(differenceOf('y', near).cosine).toBe(-1);
    const pooled = differenceOf('y', addSums(near, compareNumbers([5], [5], 1)));
    expect(pooled.relativeError).toBeCloseTo(0.004, 3);
    expect([pooled.elements, pooled.cosine]).toEqual([2, expect.closeTo(1, 4)]);
  });

  it('counts what stopped being finite, and ignores what never was', () => {
    expect(compareNumbers([1, Number.NEGATIVE_INFINITY], [Number.NaN, 0], 2).nonFinite).toBe(1);
  });

  it('counts every element when the sizes differ', () => {
    expect(compareNumbers([1, 2, 3], [1, 2], 3).nonFinite).toBe(3);
  });

  it('reads unaligned bytes and every numeric type', () => {
    const padded = new Uint8Array(9);
    padded.set(new Uint8Array(Float32Array.of(1.5, -2).buffer), 1);
    expect(Array.from(numbersOf({ elementType: 'float32', dims: [2], bytes: padded.subarray(1) }) ?? [])).toEqual([
      1.5, -2,
    ]);
    expect(
      Array.from(
        numbersOf({ elementType: 'int64', dims: [1], bytes: new Uint8Array(BigInt64Array.of(-7n).buffer) }) ?? [],
      ),
    ).toEqual([-7]);
    expect(
      Array.from(
        numbersOf({ elementType: 'float16', dims: [1], bytes: new Uint8Array(Uint16Array.of(0x3c00).buffer) }) ?? [],
      ),
    ).toEqual([1]);
    expect(numbersOf({ elementType: 'string', dims: [1], bytes: new Uint8Array() })).toBeUndefined();
  });
});
