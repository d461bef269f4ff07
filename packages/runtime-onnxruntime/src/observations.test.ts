import { float16ToNumber, type Tap, type TensorObservation } from '@optimum/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
// @ts-expect-error plain JavaScript that is shipped as it is
import { bitsOf, sentinelBits, unitsOf } from '../process/float-bits.mjs';
// @ts-expect-error plain JavaScript that is shipped as it is
import { Observations } from '../process/observations.mjs';
// @ts-expect-error plain JavaScript that is shipped as it is
import { rowHash } from '../process/rows.mjs';
// @ts-expect-error plain JavaScript that is shipped as it is
import { Bins } from '../process/scan.mjs';
// @ts-expect-error plain JavaScript that is shipped as it is
import { fetchSeen } from '../process/taps.mjs';
import { observationOf } from './crossed-observation.ts';

type Data = Float32Array | Float64Array | Uint16Array;
interface Output {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: Data;
}

const float = (values: readonly number[], dims: readonly number[] = [values.length]): Output => ({
  type: 'float32',
  dims,
  data: Float32Array.from(values),
});

const tap: Tap = { tensor: 't', output: 'y' };

/** Observations of one tensor over runs, whose numbers are those of the samples. */
async function observed(runs: readonly Output[], more: Partial<Tap> = {}, order = runs.map((_, index) => index)) {
  const observations = new Observations();
  for (const sample of order) {
    const seen = await fetchSeen(async () => ({ y: runs[sample] }), [{ ...tap, ...more }]);
    observations.add({ seen, sample });
  }
  return observations;
}

const observe = async (runs: readonly Output[], more: Partial<Tap> = {}): Promise<TensorObservation> =>
  observationOf((await observed(runs, more)).observations().t);

/** What an observation has to be, value by value and without any care for speed. */
function expected(runs: readonly (readonly number[])[]): TensorObservation {
  const bins = new Map<number, number>();
  const excluded = { nan: 0, infinite: 0, sentinel: 0 };
  const ends: { min: number; max: number }[] = [];
  let elements = 0;
  for (const run of runs) {
    const counted: number[] = [];
    for (const value of run) {
      if (Number.isNaN(value)) excluded.nan++;
      else if (!Number.isFinite(value)) excluded.infinite++;
      else if (Math.abs(value) >= 1e30) excluded.sentinel++;
      else counted.push(value);
    }
    for (const value of counted) {
      const bin = (new Uint32Array(Float32Array.of(value).buffer)[0] as number) >>> 16;
      bins.set(bin, (bins.get(bin) ?? 0) + 1);
    }
    elements += counted.length;
    if (counted.length > 0) ends.push({ min: Math.min(...counted) + 0, max: Math.max(...counted) + 0 });
  }
  const ascending = [...bins.keys()].sort((a, b) => a - b);
  return {
    runs: ends.length,
    elements,
    min: ends.length > 0 ? Math.min(...ends.map(({ min }) => min)) : 0,
    max: ends.length > 0 ? Math.max(...ends.map(({ max }) => max)) : 0,
    minSum: String(ends.reduce((sum, { min }) => sum + exactUnits(min), 0n)),
    maxSum: String(ends.reduce((sum, { max }) => sum + exactUnits(max), 0n)),
    excluded,
    histogram: { bins: ascending, counts: ascending.map((bin) => bins.get(bin) as number) },
  };
}

/** value · 2^149, found by doubling: every step is exact in float64. */
function exactUnits(value: number): bigint {
  let scaled = value;
  let shift = 149n;
  while (shift > 0n && !Number.isSafeInteger(scaled)) {
    scaled *= 2;
    shift--;
  }
  return BigInt(scaled) << shift;
}

/** Float32 numbers of all kinds, those at every border included. */
const anyFloat = fc.oneof(
  fc.float({ noNaN: false }),
  fc.float({ min: Math.fround(-8), max: Math.fround(8) }),
  fc.constantFrom(
    ...[0, -0, 2 ** -149, -(2 ** -149), 2 ** -126, 1e30, -1e30, 3.4e38, -3.4e38, Number.NaN].map(Math.fround),
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    // The last float32 before the sentinels, which has the same leading 16 bits.
    Math.fround(9.9999994e29),
    -Math.fround(9.9999994e29),
  ),
);

describe('observations', () => {
  it('are those of the definition, whatever the values', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(anyFloat, { maxLength: 40 }), { maxLength: 6 }), async (runs) => {
        const outputs = runs.map((values) => float(values));
        if (outputs.length === 0) return;
        const full = expected(runs);
        expect(await observe(outputs)).toEqual(full);
        const { histogram, ...range } = full;
        expect(await observe(outputs, { detail: 'range' })).toEqual(range);
      }),
      { numRuns: 400 },
    );
  });

  it('do not depend on the order of the runs', async () => {
    const run = fc.array(fc.array(anyFloat, { minLength: 4, maxLength: 4 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.array(run, { minLength: 1, maxLength: 6 }), fc.integer(), async (runs, seed) => {
        const outputs = runs.map((rows) => float(rows.flat(), [rows.length, 4]));
        const numbers = outputs.map((_, index) => index);
        const other = [...numbers].sort((a, b) => rowHash(seed, a) - rowHash(seed, b));
        const more = { channelAxis: -1, rows: 3 };
        const [a, b] = await Promise.all([observed(outputs, more, numbers), observed(outputs, more, other)]);
        expect(b.observations()).toEqual(a.observations());
        expect(b.sampledRows()).toEqual(a.sampledRows());
      }),
    );
  });

  it('of numbers on one side of zero, of zeros, and of one number', async () => {
    for (const values of [[1, 2, 3], [-3, -1, -2], [0, 0], [-0, -0], [-0, 1], [5], [-5], [2 ** -149]])
      expect(await observe([float(values)])).toEqual(expected([values]));
  });

  it('of nothing that counts', async () => {
    const none = [[], [Number.NaN], [Number.NEGATIVE_INFINITY], [-3.4e38, 1e30]];
    const observation = await observe(none.map((values) => float(values)));
    expect(observation).toEqual(expected(none));
    expect(observation).toMatchObject({ runs: 0, elements: 0, min: 0, max: 0, minSum: '0', maxSum: '0' });
    expect(observation.excluded).toEqual({ nan: 1, infinite: 1, sentinel: 2 });
  });

  it('of a NaN of any payload', async () => {
    for (const bits of [0x7f800001, 0x7fc00000, 0x7fffffff, 0xff800001, 0xffffffff]) {
      const data = new Float32Array(Uint32Array.of(bits, 0x3f800000).buffer);
      const { elements, excluded, max } = await observe([{ type: 'float32', dims: [2], data }]);
      expect({ elements, nan: excluded.nan, max }).toEqual({ elements: 1, nan: 1, max: 1 });
    }
  });

  it('of float16, every pattern there is', async () => {
    const data = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
    const numbers = Array.from(data, float16ToNumber);
    expect(await observe([{ type: 'float16', dims: [65536], data }])).toEqual(expected([numbers]));
  });

  it('of float64: rounded to float32, and finite where it was', async () => {
    const values = [1e300, -1e39, 0.1, Number.NaN, Number.POSITIVE_INFINITY];
    const observation = await observe([{ type: 'float64', dims: [5], data: Float64Array.from(values) }]);
    expect(observation).toEqual(expected([[3e38, -3e38, Math.fround(0.1), Number.NaN, Number.POSITIVE_INFINITY]]));
  });

  it('never of what is no float', async () => {
    const ids = { type: 'int64', dims: [1], data: BigInt64Array.of(1n) } as unknown as Output;
    await expect(observe([ids])).rejects.toThrow('int64 cannot be observed');
  });

  it('keep counting when the fast counters are full', () => {
    const bins = new Bins(100);
    for (let pass = 0; pass < 9; pass++) bins.count(bitsOf(new Float32Array(33).fill(1)));
    bins.count(bitsOf(new Float32Array(1000).fill(-2)));
    expect(bins.toHistogram()).toEqual({ bins: Uint16Array.of(0x3f80, 0xc000), counts: Float64Array.of(297, 1000) });
  });
});

describe('exact sums', () => {
  it('units of 2^-149', () => {
    expect(unitsOf(2 ** -149)).toBe(1n);
    expect(unitsOf(-1)).toBe(-(1n << 149n));
    expect(unitsOf(Math.fround(0.1))).toBe(exactUnits(Math.fround(0.1)));
    fc.assert(fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (x) => unitsOf(x) === exactUnits(x)));
  });

  it('the first sentinel is the first float32 that is not below 1e30', () => {
    const [sentinel, before] = new Float32Array(Int32Array.of(sentinelBits, sentinelBits - 1).buffer);
    expect(sentinel).toBeGreaterThanOrEqual(1e30);
    expect(before).toBeLessThan(1e30);
  });
});

describe('reductions', () => {
  const reduced = { min: 'min', max: 'max', sum: 'sum', size: 'size' };

  /** What the runtime's reductions give, and the whole tensor when it is asked for. */
  const runOf = (values: readonly number[], asked: string[][]) => async (outputs: string[]) => {
    asked.push(outputs);
    const sum = values.reduce((total, value) => total + value, 0);
    const scalars = { min: Math.min(...values), max: Math.max(...values), sum };
    const numbers = Object.entries(scalars).map(([name, value]) => [name, float([value], [])]);
    const size = { type: 'int64', dims: [], data: BigInt64Array.of(BigInt(values.length)) };
    const all: Record<string, unknown> = { ...Object.fromEntries(numbers), size, y: float(values) };
    return Object.fromEntries(outputs.map((name) => [name, all[name]]));
  };

  it.each<[string, readonly number[], boolean]>([
    ['plain', [1, -2, 3], false],
    ['only zeros', [-0, 0], false],
    ['not a number', [1, Number.NaN, 3], true],
    ['infinity', [1, Number.POSITIVE_INFINITY], true],
    ['a sentinel', [1, -1e30, 3], true],
    ['empty', [], true],
  ])('%s: the same as from the tensor', async (_, values, isFetched) => {
    const observations = new Observations();
    const asked: string[][] = [];
    observations.add({ seen: await fetchSeen(runOf(values, asked), [{ ...tap, reduced }]), sample: 0 });
    const { histogram, ...range } = expected([values]);
    expect(observations.observations().t).toEqual(range);
    expect(asked).toEqual([['min', 'max', 'sum', 'size'], ...(isFetched ? [['y']] : [])]);
  });
});

describe('channels', () => {
  const channelsOf = async (runs: readonly Output[], channelAxis: number) =>
    (await observe(runs, { channelAxis })).channels;

  it('along any axis, without what does not count', async () => {
    const values = [1, -2, 3, 4, 5, Number.NaN, 7, -8, 9, -1e30, 11, 12];
    const output = float(values, [2, 3, 2]);
    expect(await channelsOf([output], -1)).toEqual({ axis: -1, min: [1, -8], max: [11, 12] });
    expect(await channelsOf([output], 1)).toEqual({ axis: 1, min: [-8, 3, 5], max: [7, 9, 12] });
    expect(await channelsOf([output], 0)).toEqual({ axis: 0, min: [-2, -8], max: [5, 12] });
  });

  it('over runs of several lengths', async () => {
    const runs = [float([1, 2, 3, 4], [2, 2]), float([-1, 9], [1, 2]), float([], [0, 2])];
    expect(await channelsOf(runs, -1)).toEqual({ axis: -1, min: [-1, 2], max: [3, 9] });
  });

  it('none where the axis is missing or changes its size', async () => {
    expect(await channelsOf([float([1, 2])], 1)).toBeUndefined();
    expect(await channelsOf([float([1, 2]), float([1, 2, 3])], 0)).toBeUndefined();
    expect(await channelsOf([float([1], [])], -1)).toBeUndefined();
  });
});

describe('rows', () => {
  const rowsOf = async (runs: readonly Output[], rows: number) => (await observed(runs, { rows })).sampledRows().t;

  it('are those of the smallest hashes, by sample and row', async () => {
    const runs = Array.from({ length: 20 }, (_, sample) =>
      float(
        Array.from({ length: 10 }, (_, index) => sample * 10 + index),
        [5, 2],
      ),
    );
    const all = runs.flatMap((_, sample) =>
      [0, 1, 2, 3, 4].map((row) => ({ hash: rowHash(sample, row), first: sample * 10 + row * 2 })),
    );
    const chosen = [...all].sort((a, b) => a.hash - b.hash).slice(0, 7);
    const firsts = chosen.map(({ first }) => first).sort((a, b) => a - b);
    const sample = await rowsOf(runs, 7);
    expect(sample.width).toBe(2);
    expect([...sample.values]).toEqual(firsts.flatMap((first) => [first, first + 1]));
    // Spread over the samples, not the first ones.
    expect(new Set(firsts.map((first) => Math.floor(first / 10))).size).toBeGreaterThan(3);
  });

  it('fewer than wanted are all kept, but those with a value that does not count', async () => {
    const sample = await rowsOf([float([1, 2, Number.NaN, 4, 5, 6], [3, 2])], 10);
    expect(sample).toEqual({ width: 2, values: Float32Array.of(1, 2, 5, 6) });
  });

  it('none of a tensor whose rows change their width', async () => {
    expect(await rowsOf([float([1, 2], [1, 2]), float([1, 2, 3], [1, 3])], 4)).toBeUndefined();
  });

  it('of a scalar is itself', async () => {
    expect(await rowsOf([float([3], [])], 4)).toEqual({ width: 1, values: Float32Array.of(3) });
  });
});
