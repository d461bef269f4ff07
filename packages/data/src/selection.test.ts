import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pick, selectRows } from './selection.ts';

const indicesOf = (...options: Parameters<typeof selectRows>) => [...selectRows(...options).indices()];

describe('selectRows', () => {
  it('takes all when no more are there', () => {
    expect(indicesOf(3)).toEqual([0, 1, 2]);
    expect(indicesOf(3, 3, 9)).toEqual([0, 1, 2]);
    expect(indicesOf(3, 100)).toEqual([0, 1, 2]);
    expect(indicesOf(0)).toEqual([]);
  });

  it('samples without replacement, in ascending order, the same for a seed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 500 }),
        fc.nat(),
        (total, count, seed) => {
          const chosen = indicesOf(total, count, seed);
          expect(chosen).toHaveLength(Math.min(total, count));
          expect(chosen).toEqual([...new Set(chosen)].sort((a, b) => a - b));
          expect(chosen.every((index) => index >= 0 && index < total)).toBe(true);
          expect(indicesOf(total, count, seed)).toEqual(chosen);
        },
      ),
    );
  });

  it('puts a smaller sample into a larger one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 99 }), fc.nat(), (count, seed) => {
        const larger = new Set(indicesOf(300, count + 1, seed));
        expect(indicesOf(300, count, seed).every((index) => larger.has(index))).toBe(true);
      }),
    );
  });

  it('takes every row about as often', () => {
    const counts = new Array<number>(10).fill(0);
    for (let seed = 0; seed < 4000; seed++)
      for (const index of indicesOf(10, 3, seed)) counts[index] = (counts[index] ?? 0) + 1;
    // 1200 expected each; six standard deviations of a binomial are 174.
    expect(Math.min(...counts)).toBeGreaterThan(1026);
    expect(Math.max(...counts)).toBeLessThan(1374);
  });

  it('needs memory for the sample alone', () => {
    expect(indicesOf(2 ** 40, 5, 1)).toHaveLength(5);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses %d samples', (samples) => {
    expect(() => selectRows(10, samples)).toThrow(expect.objectContaining({ code: 'E_USAGE' }));
  });
});

describe('pick', () => {
  it('reads nothing behind the last one, and closes what it reads from', async () => {
    const seen: string[] = [];
    function* items() {
      try {
        for (let index = 0; ; index++) {
          seen.push(`read ${index}`);
          yield { index };
        }
      } finally {
        seen.push('closed');
      }
    }
    const picked = [];
    for await (const { index } of pick(items(), { count: 2, indices: () => [1, 2] })) picked.push(index);
    expect(picked).toEqual([1, 2]);
    expect(seen).toEqual(['read 0', 'read 1', 'read 2', 'closed']);
  });
});
