import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CostTable, KernelShape, KernelTime } from '../backend/index.ts';
import { nodeUs, productTime, runUs, timeOf } from './cost-model.ts';
import { recogniseArithmetic } from './recognise-arithmetic.ts';

const tableOf = (kernels: readonly KernelTime[], more: Partial<CostTable> = {}): CostTable => ({
  schemaVersion: 1,
  probeVersion: 1,
  runtime: { id: 'test', version: '1' },
  cpu: { modelName: '', architecture: 'x64', features: [] },
  behaviour: { u8s8: 'exact' },
  kernels,
  measuredAt: '',
  durationMs: 0,
  unrest: 0,
  ...more,
});

const sizes = fc.uniqueArray(fc.integer({ min: 1, max: 4096 }), { minLength: 2, maxLength: 4 });

/** Times that never fall along an axis: a sum of what each axis adds. */
const grid = fc
  .tuple(
    sizes,
    sizes,
    sizes,
    fc.double({ min: 0.1, max: 5, noNaN: true }),
    fc.double({ min: 1e-6, max: 1e-3, noNaN: true }),
  )
  .map(([rows, depths, columns, overhead, perProduct]) =>
    rows.flatMap((row) =>
      depths.flatMap((depth) =>
        columns.map((column): KernelTime => {
          const microseconds = overhead + row * depth * column * perProduct;
          return { kernel: 'product', rows: row, depth, columns: column, microseconds };
        }),
      ),
    ),
  );
const size = fc.integer({ min: 1, max: 10_000 });
const shape = fc.record({ rows: size, depth: size, columns: size });

describe('timeOf', () => {
  it('is exact at measured shapes', () => {
    fc.assert(
      fc.property(grid, (times) => {
        const table = tableOf(times);
        for (const time of times) expect(timeOf(table, 'product', time)).toBeCloseTo(time.microseconds, 6);
      }),
    );
  });

  it('never falls when a size grows', () => {
    fc.assert(
      fc.property(grid, shape, fc.constantFrom('rows', 'depth', 'columns'), size, (times, small, key, more) => {
        const table = tableOf(times);
        const large: KernelShape = { ...small, [key]: small[key] + more };
        const [before, after] = [timeOf(table, 'product', small) ?? 0, timeOf(table, 'product', large) ?? 0];
        expect(after).toBeGreaterThanOrEqual(before * (1 - 1e-9));
      }),
    );
  });

  it('keeps the throughput above what was measured, and the overhead below', () => {
    const times = [1, 128].flatMap((rows) =>
      [32, 1024].flatMap((depth) =>
        [32, 1024].map((columns) => ({
          kernel: 'm',
          rows,
          depth,
          columns,
          microseconds: 1 + rows * depth * columns * 1e-5,
        })),
      ),
    );
    const table = tableOf(times);
    const largest = timeOf(table, 'm', { rows: 128, depth: 1024, columns: 1024 }) ?? 0;
    expect(timeOf(table, 'm', { rows: 512, depth: 2048, columns: 1024 })).toBeCloseTo(8 * largest, 6);
    expect(timeOf(table, 'm', { rows: 1, depth: 4, columns: 4 })).toBeCloseTo(1.01024, 6);
  });

  it('takes the area of the weights where only some matrices were measured, and the number of elements where only that differs', () => {
    const square = (rows: number, edge: number, microseconds: number) => ({
      kernel: 's',
      rows,
      depth: edge,
      columns: edge,
      microseconds,
    });
    const table = tableOf([
      ...[square(1, 128, 2), square(1, 768, 20), square(128, 128, 16), square(128, 768, 400)],
      ...[1, 8, 768].map((rows) => ({ kernel: 'e', rows, depth: 1, columns: 128, microseconds: rows })),
    ]);
    expect(timeOf(table, 's', { rows: 1, depth: 256, columns: 64 })).toBeCloseTo(2, 9);
    expect(timeOf(table, 's', { rows: 128, depth: 3072, columns: 192 })).toBeCloseTo(400, 6);
    expect(timeOf(table, 'e', { rows: 1536, depth: 1, columns: 128 })).toBeCloseTo(1536, 6);
    expect(timeOf(table, 'unknown', { rows: 1, depth: 1, columns: 1 })).toBeUndefined();
  });
});

describe('productTime', () => {
  const table = tableOf([
    { kernel: 'p', rows: 1, depth: 1000, columns: 1000, microseconds: 50 },
    { kernel: 'p-cold', rows: 10, depth: 1000, columns: 1000, microseconds: 150 },
  ]);
  const one = { rows: 1, depth: 1000, columns: 1000 };

  it('adds what reading weights from memory costs, by how many there are', () => {
    expect(productTime(table, 'p', one, 1e6)).toBeCloseTo(50, 6);
    expect(productTime(table, 'p', one, Math.sqrt(10) * 1e6)).toBeCloseTo(100, 6);
    expect(productTime(table, 'p', one, 1e9)).toBeCloseTo(150, 6);
    expect(productTime(table, 'q', one, 1e9)).toBeUndefined();
  });
});

describe('overheads', () => {
  it('have a guess where nothing was measured', () => {
    expect(nodeUs(tableOf([]))).toBeGreaterThan(0);
    expect(runUs(tableOf([]))).toBe(0);
    expect(runUs(tableOf([{ kernel: 'run', rows: 1, depth: 1, columns: 1, microseconds: 12 }]))).toBeCloseTo(12, 9);
  });
});

describe('recogniseArithmetic', () => {
  const at = (kernel: string, microseconds: number) => ({
    kernel,
    rows: 128,
    depth: 1024,
    columns: 1024,
    microseconds,
  });
  const recognise = (speed: number, u8s8: 'exact' | 'saturates', features: CostTable['cpu']['features']) =>
    recogniseArithmetic(
      tableOf([at('matmul-float32', 1000), at('matmul-u8s8-dynamic', 1000 / speed)], {
        behaviour: { u8s8 },
        cpu: { modelName: '', architecture: 'x64', features },
      }),
    );

  it.each([
    [4, 'exact', ['avx512-vnni'], 'dot-product', undefined],
    [2, 'saturates', ['avx2'], 'pairs', undefined],
    [1.5, 'exact', [], 'widening', undefined],
    [4, 'exact', ['avx2'], 'dot-product', /flags are hidden/],
    [2, 'saturates', ['avx2', 'avx-vnni'], 'pairs', /shows avx-vnni/],
  ] as const)('%s times float32, %s, with %j', (speed, u8s8, features, kind, disagreement) => {
    const found = recognise(speed, u8s8, features);
    expect(found.class).toBe(kind);
    expect(found.speed).toBeCloseTo(speed, 6);
    if (disagreement) expect(found.disagreement).toMatch(disagreement);
    else expect(found).not.toHaveProperty('disagreement');
  });
});
