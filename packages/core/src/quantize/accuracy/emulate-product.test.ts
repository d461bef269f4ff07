import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../foundation/index.ts';
import { dequantize, quantizeWeight, relativeError, throughUint8 } from './emulate-product.ts';
import {
  columnMeans,
  emptyMatrix,
  gram,
  halves,
  type Matrix,
  multiply,
  pickColumns,
  spread,
  squaredDistance,
} from './matrix.ts';

const matrixOf = (rows: number, columns: number, values: readonly number[]): Matrix => ({
  rows,
  columns,
  values: Float32Array.from(values),
});

function normalMatrix(rows: number, columns: number, seed: number): Matrix {
  const random = seededRandom(seed);
  const matrix = emptyMatrix(rows, columns);
  matrix.values.forEach((_, index) => {
    matrix.values[index] = random.normal();
  });
  return matrix;
}

describe('quantizeWeight', () => {
  // Golden values of research: algorithms.md section 8.2.
  const golden = [-1, -0.25, 0, 0.5];

  it('has the golden values', () => {
    const full = quantizeWeight(matrixOf(4, 1, golden), { granularity: 'channel', range: 'full' });
    expect([...full.values]).toEqual([-127, -32, 0, 64]);
    expect(full.scales[0]).toBe(Math.fround(0.00787401572));
    const reduced = quantizeWeight(matrixOf(4, 1, golden), { granularity: 'channel', range: 'reduced' });
    expect([...reduced.values]).toEqual([-64, -16, 0, 32]);
    expect(reduced.scales[0]).toBe(0.015625);
  });

  it('scales by column, or all alike', () => {
    const weight = matrixOf(2, 2, [1, 100, -0.5, 50]);
    const channel = quantizeWeight(weight, { granularity: 'channel', range: 'full' });
    expect([...channel.values]).toEqual([127, 127, -64, 64]);
    const tensor = quantizeWeight(weight, { granularity: 'tensor', range: 'full' });
    expect([...tensor.values]).toEqual([1, 127, -1, 64]);
    expect(new Set(tensor.scales).size).toBe(1);
  });

  it('keeps pairs from saturating where it should', () => {
    const { values } = quantizeWeight(normalMatrix(64, 8, 1), { granularity: 'channel', range: 'pair-aware' });
    for (let row = 0; row < 64; row += 2)
      for (let column = 0; column < 8; column++) {
        const pair = [values[row * 8 + column] as number, values[(row + 1) * 8 + column] as number];
        expect(pair.reduce((sum, value) => sum + Math.max(0, value), 0)).toBeLessThanOrEqual(128);
        expect(pair.reduce((sum, value) => sum + Math.max(0, -value), 0)).toBeLessThanOrEqual(128);
      }
  });

  it('is off by half a step at most', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer(),
        (rows, columns, seed) => {
          const weight = normalMatrix(rows, columns, seed);
          const quantized = quantizeWeight(weight, { granularity: 'channel', range: 'full' });
          dequantize(quantized).values.forEach((value, index) => {
            const step = quantized.scales[index % columns] as number;
            expect(Math.abs(value - (weight.values[index] as number))).toBeLessThanOrEqual(step * 0.50001);
          });
        },
      ),
    );
  });

  it('refuses NaN', () => {
    expect(() => quantizeWeight(matrixOf(1, 1, [Number.NaN]), { granularity: 'channel', range: 'full' })).toThrow(
      'NaN',
    );
  });
});

describe('throughUint8', () => {
  it('has the golden grid', () => {
    // Scale 0.00588235306, zero point 170: [0, 128, 170, 255], clipped past the range.
    const { values } = throughUint8(matrixOf(1, 6, [-1, -0.25, 0, 0.5, 9, -9]), -1, 0.5);
    const scale = Math.fround(0.00588235306);
    expect([...values]).toEqual([-170, -42, 0, 85, 85, -170].map((steps) => Math.fround(steps * scale)));
  });

  it('makes zeros of zeros', () => {
    expect([...throughUint8(matrixOf(1, 2, [0, 0]), 0, 0).values]).toEqual([0, 0]);
  });
});

describe('matrices', () => {
  it('multiply', () => {
    expect([...multiply(matrixOf(2, 2, [1, 2, 3, 4]), matrixOf(2, 3, [1, 0, 2, 0, 1, 3])).values]).toEqual([
      1, 2, 8, 3, 4, 18,
    ]);
  });

  it('measure, pick and halve', () => {
    const matrix = matrixOf(3, 2, [1, 2, 3, 4, 5, 6]);
    expect([...columnMeans(matrix)].map(Math.round)).toEqual([3, 4]);
    expect([...pickColumns(matrix, [1]).values]).toEqual([2, 4, 6]);
    expect(halves(matrix).held.rows).toBe(2);
    expect([...gram(matrixOf(2, 2, [1, 2, 3, 4])).values]).toEqual([5, 7, 7, 10]);
    expect(squaredDistance(matrix, matrixOf(3, 2, [1, 2, 3, 4, 5, 9]))).toBe(9);
    expect(spread(10, 4)).toEqual([0, 2, 5, 7]);
    expect(spread(2, 4)).toEqual([0, 1]);
  });

  it('say how far a product is off', () => {
    const [rows, weight] = [matrixOf(1, 1, [2]), matrixOf(1, 1, [3])];
    expect(relativeError(multiply(rows, weight), rows, weight)).toBe(0);
    expect(relativeError(multiply(rows, weight), rows, matrixOf(1, 1, [3.3]))).toBeCloseTo(0.1);
    expect(relativeError(matrixOf(1, 1, [0]), rows, weight)).toBe(1);
  });
});
