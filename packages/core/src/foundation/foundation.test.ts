import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exitCodes, OptimumError, throwIfAborted } from './errors.ts';
import { float16ToNumber, numberToFloat16 } from './float16.ts';
import { editDistance, nearestNames } from './nearest.ts';
import { seededRandom } from './random.ts';

describe('float16', () => {
  it('survives the way there and back for all 65,536 patterns', () => {
    for (let half = 0; half < 65_536; half++) {
      const value = float16ToNumber(half);
      if (!Number.isNaN(value)) expect(numberToFloat16(value)).toBe(half);
    }
  });

  it('rounds to the nearest, ties to even', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, min: -65_519, max: 65_519 }), (value) => {
        const half = numberToFloat16(value);
        const error = Math.abs(float16ToNumber(half) - value);
        for (const neighbour of [half - 1, half + 1]) {
          const other = float16ToNumber(neighbour & 0xffff);
          if (Number.isFinite(other)) expect(error).toBeLessThanOrEqual(Math.abs(other - value));
        }
      }),
    );
    expect([numberToFloat16(65_520), numberToFloat16(-1e9), numberToFloat16(Number.NaN) & 0x7e00]).toEqual([
      0x7c00, 0xfc00, 0x7e00,
    ]);
    expect(numberToFloat16(2 ** -25)).toBe(0);
    expect(numberToFloat16(3 * 2 ** -25)).toBe(2);
  });
});

describe('seededRandom', () => {
  it('gives the same numbers on every machine', () => {
    const random = seededRandom(42);
    expect([random.next(), random.next(), random.integer(1000)]).toEqual([
      0.6011037519201636, 0.44829055899754167, 852,
    ]);
  });

  it('is uniform and normal as far as 20,000 numbers tell', () => {
    const random = seededRandom(1);
    const uniform = Array.from({ length: 20_000 }, () => random.next());
    const normal = Array.from({ length: 20_000 }, () => random.normal());
    const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    // Four standard errors: 0.29/√20000 and 1/√20000.
    expect(Math.abs(mean(uniform) - 0.5)).toBeLessThan(0.0083);
    expect(Math.abs(mean(normal))).toBeLessThan(0.029);
    expect(mean(normal.map((value) => value * value))).toBeCloseTo(1, 1);
  });
});

describe('nearestNames', () => {
  it('finds what was meant, best first', () => {
    expect(nearestNames('Gem', ['MatMul', 'Gemm', 'Gather'])).toEqual(['Gemm']);
    expect(nearestNames('cascade-lke', ['cascade-lake', 'ice-lake-sp', 'portable'])).toEqual(['cascade-lake']);
    expect(nearestNames('zzz', ['MatMul'])).toEqual([]);
  });

  it('measures by edits', () => {
    expect([editDistance('kitten', 'sitting'), editDistance('', 'abc'), editDistance('same', 'same')]).toEqual([
      3, 3, 0,
    ]);
    fc.assert(fc.property(fc.string(), fc.string(), (a, b) => editDistance(a, b) === editDistance(b, a)));
  });
});

describe('OptimumError', () => {
  it('has an exit code for every code, none of those that Node uses itself', () => {
    for (const code of Object.values(exitCodes)) expect(code === 2 || (code >= 20 && code <= 143)).toBe(true);
  });

  it('is recognised across copies of the package by its brand, and by nothing else', () => {
    const error = new OptimumError('E_IO', 'no', { hint: 'try', context: { path: 'x' } });
    const copy = { [Symbol.for('optimum.OptimumError')]: true };
    expect([
      OptimumError.isInstance(error),
      OptimumError.isInstance(copy),
      OptimumError.isInstance(new Error('x')),
    ]).toEqual([true, true, false]);
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      code: 'E_IO',
      message: 'no',
      hint: 'try',
      context: { path: 'x' },
    });
  });

  it('is thrown for an aborted signal, with its reason', () => {
    expect(() => throwIfAborted(undefined)).not.toThrow();
    expect(() => throwIfAborted(AbortSignal.abort(new Error('enough')))).toThrow(
      expect.objectContaining({ code: 'E_INTERRUPTED', cause: new Error('enough') }),
    );
  });
});
