import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RowSample } from '../backend/index.ts';
import { seededRandom } from '../foundation/index.ts';
import type { Plan, PlanEntry } from '../plan/index.ts';
import { parseModel } from '../text/index.ts';
import { integerProduct } from './saturation.ts';
import {
  analyzeSaturation,
  isSafeByBound,
  keepFullRange,
  type LayerActivations,
  largestActivation,
  layersThatSaturate,
} from './saturation-analysis.ts';
import { countSaturation, quantizeRows } from './saturation-count.ts';
import { filterMatrices, pairSumsOf } from './saturation-matrices.ts';
import { convolutionRows } from './saturation-rows.ts';

const column = (values: Int8Array, columns: number, index: number): Int8Array =>
  values.filter((_, at) => at % columns === index);

const byte = fc.integer({ min: -128, max: 127 });
/** Mostly the extremes: a pair of middling numbers never saturates. */
const weight = fc.oneof(byte, fc.constantFrom(127, -127, -128, 100, -100, 64));
const activation = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(255, 254, 200, 0));

const subject = fc
  .record({
    rows: fc.integer({ min: 1, max: 9 }),
    columns: fc.integer({ min: 1, max: 4 }),
    samples: fc.integer({ min: 0, max: 4 }),
  })
  .chain(({ rows, columns, samples }) =>
    fc.record({
      rows: fc.constant(rows),
      columns: fc.constant(columns),
      samples: fc.constant(samples),
      values: fc
        .array(weight, { minLength: rows * columns, maxLength: rows * columns })
        .map((list) => Int8Array.from(list)),
      activations: fc
        .array(activation, { minLength: rows * samples, maxLength: rows * samples })
        .map((list) => Uint8Array.from(list)),
    }),
  );

describe('countSaturation', () => {
  it('agrees with the definition, output by output', () => {
    let seen = 0;
    fc.assert(
      fc.property(subject, ({ rows, columns, samples, values, activations }) => {
        let saturated = 0;
        let largestLoss = 0;
        for (let sample = 0; sample < samples; sample++) {
          const a = activations.subarray(sample * rows, (sample + 1) * rows);
          for (let n = 0; n < columns; n++) {
            const { exact, saturating } = integerProduct(a, column(values, columns, n), 0);
            if (exact !== saturating) saturated++;
            largestLoss = Math.max(largestLoss, Math.abs(exact - saturating));
          }
        }
        seen += saturated;
        const count = countSaturation({ values, rows, columns }, activations);
        expect(count).toMatchObject({ outputs: samples * columns, saturated, largestLoss });
        if (saturated > 0) expect(count.closest).toBeGreaterThan(1);
      }),
      { numRuns: 500 },
    );
    expect(seen).toBeGreaterThan(50);
  });

  it('tells how near pairs came to saturation', () => {
    const matrix = { values: Int8Array.of(127, 127), rows: 2, columns: 1 };
    expect(countSaturation(matrix, Uint8Array.of(100, 100)).closest).toBeCloseTo(25_400 / 32_767, 12);
    expect(countSaturation(matrix, Uint8Array.of(129, 129))).toEqual({
      outputs: 1,
      saturated: 0,
      largestLoss: 0,
      closest: 32_766 / 32_767,
    });
    expect(countSaturation(matrix, Uint8Array.of(130, 129))).toMatchObject({ saturated: 1, largestLoss: 126 });
    // Pairs that nothing can make saturate do not count as near.
    expect(countSaturation({ ...matrix, values: Int8Array.of(64, 64) }, Uint8Array.of(255, 255)).closest).toBe(0);
  });

  it('does not count losses that cancel: the output is right', () => {
    const matrix = { values: Int8Array.of(127, 127, -128, -128), rows: 4, columns: 1 };
    const lost = (a: readonly number[]) => countSaturation(matrix, Uint8Array.from(a));
    // 127 · 385 - 32,767 = 128 · 382 - 32,768 = 16,128.
    expect(lost([200, 185, 191, 191])).toMatchObject({ outputs: 1, saturated: 0, largestLoss: 0 });
    expect(lost([200, 185, 0, 0])).toMatchObject({ saturated: 1, largestLoss: 16_128 });
  });
});

describe('quantizeRows', () => {
  it('rounds half to even and clips, as QuantizeLinear does', () => {
    const rows = { width: 3, values: Float32Array.of(0.5, 1.5, 2.5, -300, 400, -0.5) };
    expect([...quantizeRows(rows, { scale: 1, zeroPoint: 10 })]).toEqual([10, 12, 12, 0, 255, 10]);
    const own = [
      { scale: 1, zeroPoint: 0 },
      { scale: 2, zeroPoint: 200 },
    ];
    expect([...quantizeRows(rows, own)]).toEqual([0, 2, 2, 50, 255, 200]);
  });
});

describe('filterMatrices', () => {
  it('puts channels last, group by group', () => {
    // [2, 3, 1, 2]: filter, channel, tap.
    const values = Int8Array.of(1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16);
    expect(filterMatrices(values, [2, 3, 1, 2], 1)).toEqual([
      { values: Int8Array.of(1, 11, 3, 13, 5, 15, 2, 12, 4, 14, 6, 16), rows: 6, columns: 2 },
    ]);
    expect(filterMatrices(values, [2, 3, 1, 2], 2).map((matrix) => [...matrix.values])).toEqual([
      [1, 3, 5, 2, 4, 6],
      [11, 13, 15, 12, 14, 16],
    ]);
  });

  it('gives nothing for one filter for each channel, whose kernel adds no pairs', () => {
    expect(filterMatrices(new Int8Array(36), [4, 1, 3, 3], 4)).toEqual([]);
    expect(filterMatrices(new Int8Array(36), [4, 1, 3, 3], 2)).toHaveLength(2);
  });

  it('multiplies patches to what a convolution is', () => {
    const random = seededRandom(2);
    const [n, c, h, w] = [2, 4, 5, 6] as const;
    const geometry = { kernel: [3, 2], strides: [2, 1], dilations: [1, 2], pads: [1, 0, 1, 2], groups: 2 } as const;
    const image = Float32Array.from({ length: n * c * h * w }, () => random.integer(9) - 4);
    const filters = Int8Array.from({ length: 6 * 2 * 3 * 2 }, () => random.integer(9) - 4);
    const rows = convolutionRows(image, [n, c, h, w], geometry);
    const matrices = filterMatrices(filters, [6, 2, 3, 2], 2);
    const [outHeight, outWidth] = [3, 6];
    for (const [group, { values, columns, rows: k }] of matrices.entries()) {
      const sample = rows[group] as RowSample;
      expect([sample.width, sample.values.length]).toEqual([k, n * outHeight * outWidth * k]);
      for (const [b, y, x, o] of [
        [0, 0, 0, 0],
        [1, 2, 5, 2],
        [0, 1, 3, 1],
      ] as const) {
        let direct = 0;
        for (let i = 0; i < 2; i++)
          for (let p = 0; p < 3; p++)
            for (let q = 0; q < 2; q++) {
              const [row, col] = [y * 2 - 1 + p, x + q * 2];
              if (row < 0 || row >= h || col >= w) continue;
              const pixel = image[((b * c + group * 2 + i) * h + row) * w + col] as number;
              direct += pixel * (filters[((group * 3 + o) * 2 + i) * 6 + p * 2 + q] as number);
            }
        const at = (b * outHeight + y) * outWidth + x;
        let product = 0;
        for (let row = 0; row < k; row++)
          product += (sample.values[at * k + row] as number) * (values[row * columns + o] as number);
        expect(product).toBe(direct);
      }
    }
  });
});

/** Three layers: weights at both ends of the range, weights whose neighbours never are, and filters. */
const model = parseModel(`<ir_version: 8, opset_import: ["": 17]> g (float[n, 4] x, float[1, 2, 1, 1] i) => (a, b, c)
  <float[4, 2] risky = {1, 0.1, 1, 0.2, -1, 0.3, 0.2, 1}, float[2, 4] calm = {1, 0, -1, 0, 0.9, 0.1, 0, 0}, float[1, 2, 1, 1] filters = {1, 1}>
  { [risky] a = MatMul (x, risky)  [calm] b = Gemm <transB = 1> (x, calm)  [conv] c = Conv (i, filters) }`);

const scheme = { elementType: 'int8', granularity: 'channel', range: 'pair-aware' } as const;
const entry = (id: string, decision: PlanEntry['decision']): PlanEntry => ({ id, op: '', decision });
const plan: Plan = {
  version: 1,
  target: 'haswell',
  features: [],
  recipe: 'latency',
  valueInfo: 'keep',
  entries: [
    entry('risky', { action: 'matmul', weight: scheme, capability: 'm' }),
    entry('calm', { action: 'static', weight: scheme, capability: 'g' }),
    entry('conv', { action: 'static', weight: scheme, capability: 'c' }),
  ],
};

const ranges = ({ entries }: Plan) =>
  Object.fromEntries(
    entries.map(({ id, decision }) => [id, 'weight' in decision ? decision.weight?.range : undefined]),
  );

const parameters = { scale: 0.01, zeroPoint: 0 };
const rowsOf = (values: readonly number[], width: number): LayerActivations['rows'] => [
  { width, values: Float32Array.from(values) },
];

describe('analyzeSaturation', () => {
  it('tells layers apart by what their weights allow at worst', () => {
    const analysis = analyzeSaturation(model, plan);
    expect(analysis.map(({ id, pairs, largestActivation }) => [id, pairs, largestActivation])).toEqual([
      // 127 and 127 in the first column; 38 and 127 below 0.3 and 1 in the second; -127 and 25 in the first.
      ['risky', { positive: 254, negative: 127 }, 255],
      ['calm', { positive: 127 + 14, negative: 127 }, 255],
      ['conv', { positive: 254, negative: 0 }, 255],
    ]);
    expect(layersThatSaturate(analysis)).toEqual(['risky', 'calm', 'conv']);
  });

  it('knows that smaller activations saturate less, where a limit is proven', () => {
    expect(largestActivation({})).toBe(255);
    expect(largestActivation({ parameters })).toBe(255);
    expect(largestActivation({ largestValue: 1 })).toBe(255);
    expect(largestActivation({ parameters, largestValue: 1 })).toBe(100);
    expect(largestActivation({ parameters: { scale: 0.01, zeroPoint: 200 }, largestValue: 6 })).toBe(255);
    // 255 · 128 pass; 32,767 / 254 = 129.004 bounds what two weights of 127 take.
    const layer = { id: 'l', pairs: { positive: 254, negative: 254 } };
    expect(isSafeByBound({ ...layer, largestActivation: 129 })).toBe(true);
    expect(isSafeByBound({ ...layer, largestActivation: 130 })).toBe(false);
    const analysis = analyzeSaturation(model, plan, new Map([['risky', { parameters, largestValue: 1 }]]));
    expect(layersThatSaturate(analysis)).toEqual(['calm', 'conv']);
  });

  it('counts sampled rows exactly, and keeps to the margin that is asked for', () => {
    const activations = new Map<string, LayerActivations>([
      ['risky', { parameters, rows: rowsOf([2, 1, 0, 0, 2, 2, 0, 0], 4) }],
      ['calm', { parameters, rows: rowsOf([1, 1, 1, 1], 4) }],
      ['conv', { rows: rowsOf([1.1, 1], 2), rowParameters: [parameters] }],
    ]);
    const analysis = analyzeSaturation(model, plan, activations);
    expect(analysis.map(({ observed }) => observed)).toMatchObject([
      // 200 · 127 + 100 · 127 = 38,100, then 50,800.
      { outputs: 4, saturated: 2, largestLoss: 50_800 - 32_767 },
      { outputs: 2, saturated: 0 },
      { outputs: 1, saturated: 0, closest: (210 * 127) / 32_767 },
    ]);
    expect(layersThatSaturate(analysis)).toEqual(['risky', 'calm', 'conv']);
    expect(layersThatSaturate(analysis, { observedMargin: 0.2 })).toEqual(['risky']);
    expect(layersThatSaturate(analysis, { observedMargin: 0.25 })).toEqual(['risky', 'conv']);
  });
});

describe('keepFullRange', () => {
  const activations = new Map<string, LayerActivations>([['risky', { parameters, largestValue: 1 }]]);

  it('lets layers that cannot saturate keep the full range, and changes nothing else', () => {
    const kept = keepFullRange(plan, analyzeSaturation(model, plan, activations));
    expect(ranges(kept)).toEqual({ risky: 'full', calm: 'pair-aware', conv: 'pair-aware' });
    expect(ranges(plan)).toEqual({ risky: 'pair-aware', calm: 'pair-aware', conv: 'pair-aware' });
    expect(kept.entries[0]?.decision).toMatchObject({ action: 'matmul', capability: 'm' });
    expect(keepFullRange(kept, analyzeSaturation(model, kept, activations))).toEqual(kept);
  });

  it('lets depthwise convolutions keep it always', () => {
    const depthwise = parseModel(`<ir_version: 8, opset_import: ["": 17]> g (float[1, 2, 3, 3] x) => (y)
      <float[2, 1, 1, 2] f = {1, 1, 1, 1}> { [conv] y = Conv <group = 2> (x, f) }`);
    const own = { ...plan, entries: plan.entries.slice(2) };
    expect(ranges(keepFullRange(own, analyzeSaturation(depthwise, own)))).toEqual({ conv: 'full' });
  });

  it('is right for whatever activation comes', () => {
    const matrix = fc.record({
      values: fc.array(weight, { minLength: 6, maxLength: 6 }).map((list) => Int8Array.from(list)),
      cap: fc.integer({ min: 1, max: 255 }),
    });
    fc.assert(
      fc.property(matrix, fc.infiniteStream(fc.nat(255)), ({ values, cap }, stream) => {
        const pairs = pairSumsOf([{ values, rows: 6, columns: 1 }]);
        const isSafe = isSafeByBound({ id: '', pairs, largestActivation: cap });
        const corners = [0, cap];
        const worst = corners.some((a) =>
          corners.some((b) =>
            [0, 2, 4].some((k) => {
              const sum = a * (values[k] as number) + b * (values[k + 1] as number);
              return sum > 32_767 || sum < -32_768;
            }),
          ),
        );
        expect(isSafe).toBe(!worst);
        if (!isSafe) return;
        const activations = Uint8Array.from({ length: 6 }, () => Math.min(cap, stream.next().value as number));
        expect(countSaturation({ values, rows: 6, columns: 1 }, activations).saturated).toBe(0);
      }),
    );
  });
});
