import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Tensor, tensorOf } from '../../ir/index.ts';
import { FileSource } from '../../node/file-source.ts';
import { integerProduct, isPairSafe } from '../saturation.ts';
import { errorAgainst7Bits, pairAwareGrid } from './pair-aware-grid.ts';

const gridOf = (values: readonly number[], rows: number, columns: number, zeroPoints: readonly number[] = [0]) => {
  const tensor = tensorOf('int8', [rows, columns], Int8Array.from(values));
  const grid = pairAwareGrid(tensor, zeroPoints, { rows, columns, channels: 'columns', axis: 1 });
  const bytes = new Uint8Array(grid.quantized.bytes());
  return { ...grid, integers: new Int8Array(bytes.buffer) };
};

const column = (integers: Int8Array, columns: number, index: number): Int8Array =>
  integers.filter((_, place) => place % columns === index);

const matrices = fc
  .record({ rows: fc.integer({ min: 1, max: 9 }), columns: fc.integer({ min: 1, max: 4 }) })
  .chain(({ rows, columns }) =>
    fc.record({
      rows: fc.constant(rows),
      columns: fc.constant(columns),
      values: fc.array(fc.integer({ min: -128, max: 127 }), { minLength: rows * columns, maxLength: rows * columns }),
    }),
  );

describe('pair-aware grid', () => {
  it('raises the scale of channels that can saturate, and of those alone', () => {
    const { factors, facts, integers } = gridOf([127, 60, 127, 60], 2, 2);
    expect([...column(integers, 2, 1)]).toEqual([60, 60]);
    expect([...factors]).toEqual([Math.fround(254 / 128), 1]);
    expect([...column(integers, 2, 0)]).toEqual([64, 64]);
    expect(facts).toMatchObject({ columns: 2, risky: 1 });
  });

  it('is safe for any activation, exact in emulated pair sums, and within half a step of the old grid', () => {
    fc.assert(
      fc.property(
        matrices,
        fc.infiniteStream(fc.integer({ min: 0, max: 255 })),
        ({ rows, columns, values }, stream) => {
          const { factors, integers } = gridOf(values, rows, columns);
          const activations = Uint8Array.from({ length: rows }, () => stream.next().value as number);
          for (let index = 0; index < columns; index++) {
            const weights = column(integers, columns, index);
            expect(isPairSafe(weights)).toBe(true);
            const { exact, saturating } = integerProduct(activations, weights, 7);
            expect(saturating).toBe(exact);
            const factor = factors[index] as number;
            weights.forEach((weight, row) => {
              const before = values[row * columns + index] as number;
              // Rounding to the nearest, and float32 on the way.
              expect(Math.abs(weight * factor - before)).toBeLessThanOrEqual(factor / 2 + 1e-4);
            });
          }
        },
      ),
    );
  });

  it('takes zero points off: one for all, or one for each channel', () => {
    expect([...gridOf([10, 20, 30, 40], 2, 2, [5]).integers]).toEqual([5, 15, 25, 35]);
    expect([...gridOf([10, 20, 30, 40], 2, 2, [5, -5]).integers]).toEqual([5, 25, 25, 45]);
  });

  it('reads a weight of a file in fixed memory, whatever its size', () => {
    const folder = mkdtempSync(join(tmpdir(), 'optimum-grid-'));
    const [rows, columns] = [2048, 1024];
    const values = Int8Array.from({ length: rows * columns }, (_, index) => ((index * 7919) % 255) - 127);
    writeFileSync(join(folder, 'weights'), values);
    const source = new FileSource(join(folder, 'weights'));
    try {
      const whole = { kind: 'range', source, offset: 0, byteLength: values.length } as const;
      const layout = { rows, columns, channels: 'columns', axis: 1 } as const;
      const streamed = pairAwareGrid(new Tensor('int8', [rows, columns], whole), [0], layout);
      const inMemory = pairAwareGrid(tensorOf('int8', [rows, columns], values), [0], layout);
      expect(streamed.factors).toEqual(inMemory.factors);
      expect(Buffer.compare(streamed.quantized.bytes(), inMemory.quantized.bytes())).toBe(0);
    } finally {
      source.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('is no worse than 7 bits as long as scales are raised little', () => {
    expect(errorAgainst7Bits(Float32Array.of(1, 1))).toBe(0.25);
    expect(errorAgainst7Bits(Float32Array.of(1.4, 1.4))).toBeCloseTo((1 + 1.96) / 4, 6);
    expect(errorAgainst7Bits(Float32Array.of(3.9))).toBeGreaterThan(1);
  });
});
