import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { root, zooPaths } from '../../../../tools/testing/zoo.ts';
import { onnxruntime } from '../../../runtime-onnxruntime/src/index.ts';
import type { Runtime, Session, TensorData } from '../backend/index.ts';
import { seededRandom } from '../foundation/index.ts';
import type { ObservationRequest, SessionStatistics, TensorObservation } from '../observe/index.ts';
import { serializeModel } from '../onnx/index.ts';
import { makeInputs, numbersOf } from '../pipeline/index.ts';
import { valueIds } from '../plan/index.ts';
import { parseModel } from '../text/index.ts';
import { type CalibrateOptions, type CalibrationData, calibrate } from './calibrate.ts';
import type { CalibrationSample } from './calibrate-samples.ts';
import { loadModelSync } from './load-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'optimum-calibrate-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A model in text as a file. */
function fileOf(name: string, text: string): string {
  const path = join(folder, `${name}.onnx`);
  writeFileSync(path, serializeModel(parseModel(`<ir_version: 8, opset_import: ["": 17]> ${text}`)));
  return path;
}

const layers = fileOf(
  'layers',
  `g (float[n, 4] x) => (float[n, 2] z) <float[4, 3] a = {1, -2, 3, 4, -5, 6, 7, -8, 9, 1, 2, 3}, float[3, 2] b = {1, 2, -3, 4, 5, -6}>
   { h = MatMul(x, a) r = Relu(h) z = MatMul(r, b) }`,
);

const float = (dims: readonly number[], values: readonly number[]): TensorData => ({
  elementType: 'float32',
  dims,
  bytes: new Uint8Array(Float32Array.from(values).buffer),
});

/** Sample `index` has as many rows as its number says. */
function rowsOf(index: number): CalibrationSample {
  const random = seededRandom(index);
  const rows = 1 + (index % 5);
  return {
    index,
    feeds: {
      x: float(
        [rows, 4],
        Array.from({ length: rows * 4 }, () => random.normal()),
      ),
    },
  };
}

/** Data that gives what `samples` yields. */
const dataOf = (samples: CalibrationData['samples'], count?: number): CalibrationData => ({
  hash: 'a'.repeat(64),
  source: 'test data',
  count,
  samples,
});

const numbered = (numbers: readonly number[], make = rowsOf): CalibrationData =>
  dataOf(async function* () {
    for (const index of numbers) yield make(index);
  }, numbers.length);

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const histograms = (...tensors: string[]): ObservationRequest[] =>
  tensors.map((tensor) => ({ tensor, detail: 'histogram' }));

const run = (more: Partial<CalibrateOptions> = {}) =>
  calibrate({
    name: 'model',
    path: layers,
    runtime: onnxruntime,
    requests: histograms('x', 'h', 'r'),
    data: numbered(upTo(6)),
    from: root,
    ...more,
  });

/** The error of a calibration that fails. */
const failureOf = async (more: Partial<CalibrateOptions>) => {
  const failure = await run(more).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(Error);
  return failure as Error & { code: string; context: Record<string, unknown> };
};

describe('calibrate', () => {
  it('observes what the untouched model computes', async () => {
    const { statistics, unobservable } = await run();
    expect(unobservable).toEqual([]);
    expect(statistics).toMatchObject({ samples: 6, data: [{ source: 'test data', ranges: [[0, 6]] }] });
    const weights = [1, -2, 3, 4, -5, 6, 7, -8, 9, 1, 2, 3];
    const hidden = upTo(6).flatMap((index) => {
      const x = numbersOf(rowsOf(index).feeds.x as TensorData) ?? [];
      return upTo(x.length / 4).flatMap((row) =>
        upTo(3).map((column) =>
          upTo(4).reduce((sum, k) => sum + (x[row * 4 + k] as number) * (weights[k * 3 + column] as number), 0),
        ),
      );
    });
    const { h, r } = statistics.tensors;
    expect(h).toMatchObject({ runs: 6, elements: hidden.length });
    expect(h?.min).toBeCloseTo(Math.min(...hidden), 4);
    expect(h?.max).toBeCloseTo(Math.max(...hidden), 4);
    expect(r).toMatchObject({ min: 0, max: h?.max });
  });

  it('gives the same bytes in any order, in pieces, and by reductions', async () => {
    const numbers = upTo(12);
    const whole = await run({ data: numbered(numbers) });
    const text = JSON.stringify(whole.statistics);
    let pieces: SessionStatistics | undefined;
    for (const part of [numbers.filter((n) => n % 3 === 1), numbers.filter((n) => n % 3 !== 0), numbers]) {
      const { statistics, resumedSamples } = await run({ data: numbered(part), resume: pieces });
      expect(resumedSamples).toBe(pieces?.samples ?? 0);
      pieces = statistics;
    }
    expect(JSON.stringify(pieces)).toBe(text);
    const ranges = await run({
      data: numbered(numbers),
      requests: ['x', 'h', 'r'].map((tensor) => ({ tensor, detail: 'range' })),
    });
    for (const [tensor, { histogram, ...range }] of Object.entries(whole.statistics.tensors))
      expect(ranges.statistics.tensors[tensor]).toEqual(range);
  });

  it('holds no more of many samples than of few', async () => {
    const observed = async (count: number) => {
      const { statistics } = await run({ data: numbered(upTo(count), (index) => ({ ...rowsOf(4), index })) });
      expect(statistics.samples).toBe(count);
      return Object.values(statistics.tensors).map(({ histogram }) => histogram?.bins);
    };
    // The same numbers over and over: only counts grow.
    expect(await observed(400)).toEqual(await observed(4));
  });

  it('keeps rows, channels and divided tensors', async () => {
    const requests: ObservationRequest[] = [
      { tensor: 'h', detail: 'range', channelAxis: -1, rows: 4 },
      { tensor: 'h', detail: 'range', divisor: [1, 10, 100] },
    ];
    const { statistics, rows } = await run({ requests });
    const { h, 'h|divided': divided } = statistics.tensors as Record<string, TensorObservation>;
    expect(rows.h).toMatchObject({ width: 3, values: { length: 12 } });
    expect(h?.channels?.min).toHaveLength(3);
    expect(Math.min(...(h?.channels?.min ?? []))).toBe(h?.min);
    const expected = (h?.channels?.max ?? []).map((value, channel) => value / 10 ** channel);
    expect(divided?.max).toBeCloseTo(Math.max(...expected), 5);
  });

  it('says what was never seen', async () => {
    const path = fileOf(
      'ends',
      `g (float[n] x, int64[m] i) => (float[n] z, int64[m] k, float[o] e)
       <float big = {3e38}, int64[1] zero = {0}, int64[1] from = {5}> { s = Neg(x) k = Neg(i) u = Mul(s, big) v = Mul(u, big) z = Abs(v) e = Slice(s, from, zero) }`,
    );
    const data = numbered([0], (index) => ({
      index,
      feeds: { x: float([2], [1, 2]), i: { elementType: 'int64', dims: [1], bytes: new Uint8Array(8) } },
    }));
    const { statistics, unobservable } = await run({ path, data, requests: histograms('s', 'k', 'v', 'e', 'nothing') });
    expect(statistics.tensors.s).toMatchObject({ min: -2, max: -1 });
    expect(unobservable).toEqual([
      { tensor: 'k', reason: 'it is int64, and only floats are observed' },
      { tensor: 'nothing', reason: 'the model has no such tensor' },
      { tensor: 'e', reason: 'it never had a value' },
      { tensor: 'v', reason: 'none of its values counts: 0 are NaN, 2 infinite, 0 mask sentinels' },
    ]);
  });

  it('sees the branch of If that is taken', async () => {
    const path = fileOf(
      'branches',
      `g (bool c, float[n] x) => (float[n] z) {
        y = If (c) <
          then_branch = a () => (float[n] p) { q = Sin(x) p = Neg(q) },
          else_branch = b () => (float[n] r) { r = Cos(x) }
        >
        z = Abs(y)
      }`,
    );
    const data = numbered([0, 1, 2], (index) => ({
      index,
      feeds: { c: { elementType: 'bool', dims: [], bytes: Uint8Array.of(index % 2) }, x: float([2], [index, 0]) },
    }));
    const requests: ObservationRequest[] = [...histograms('q', 'y'), { tensor: 'r', detail: 'range' }];
    const { statistics } = await run({ path, data, requests });
    const { q, r, y } = statistics.tensors;
    expect(q).toMatchObject({ runs: 1, elements: 2, min: 0, max: Math.fround(Math.sin(1)) });
    expect(r).toMatchObject({ runs: 2, elements: 4, max: 1 });
    expect(r?.min).toBeCloseTo(Math.cos(2), 6);
    expect(y).toMatchObject({ runs: 3, elements: 6 });
    expect(y?.min).toBeCloseTo(-Math.sin(1), 6);
  });
});

describe('data that is no good', () => {
  const throwing = dataOf(async function* () {
    yield rowsOf(0);
    throw new TypeError('the disk is gone');
  });
  it('throws', async () => {
    const failure = await failureOf({ data: throwing });
    expect(failure).toMatchObject({ code: 'E_DATA_INVALID', cause: { message: 'the disk is gone' } });
    expect(failure.message).toBe('The data failed at the sample after number 0: the disk is gone.');
  });

  it('gives nothing', async () => {
    const failure = await failureOf({ data: numbered([]) });
    expect(failure).toMatchObject({ code: 'E_DATA_INVALID', message: expect.stringContaining('gave no sample') });
  });

  it('does not answer', async () => {
    const data = dataOf(async function* () {
      yield rowsOf(0);
      await new Promise(() => undefined);
    });
    const failure = await failureOf({ data, waitLimitMs: 300 });
    expect(failure).toMatchObject({ code: 'E_DATA_INVALID', message: expect.stringContaining('within 300 ms') });
  });

  it('never ends: it is left at the limit, and told so', async () => {
    let isEnded = false;
    const data = dataOf(async function* () {
      try {
        for (let index = 0; ; index++) yield rowsOf(index);
      } finally {
        isEnded = true;
      }
    });
    const { statistics } = await run({ data, samples: 7 });
    expect(statistics).toMatchObject({ samples: 7, data: [{ ranges: [[0, 7]] }] });
    expect(isEnded).toBe(true);
  });

  it('does not ascend', async () => {
    const failure = await failureOf({ data: numbered([3, 3]) });
    expect(failure).toMatchObject({ code: 'E_DATA_INVALID', context: { last: 3, index: 3 } });
  });

  it.each<[string, CalibrationSample['feeds'], RegExp]>([
    ['another name', { y: float([1, 4], [1, 2, 3, 4]) }, /^Sample 2 of test data: .*no such input/],
    ['another rank', { x: float([4], [1, 2, 3, 4]) }, /^Sample 2 of test data: .*expected 2 dimensions/],
    ['another size', { x: float([1, 3], [1, 2, 3]) }, /^Sample 2 of test data: .*expected 4 at dimension 1/],
    ['too few bytes', { x: float([2, 4], [1, 2, 3]) }, /^Sample 2 of test data: .*needs 32 bytes, got 12/],
  ])('has %s', async (_, feeds, message) => {
    const data = numbered([0, 1, 2], (index) => (index === 2 ? { index, feeds } : rowsOf(index)));
    const failure = await failureOf({ data });
    expect(failure).toMatchObject({ code: 'E_DATA_MISMATCH', context: { sample: 2 } });
    expect(failure.message).toMatch(message);
  });
});

describe('a run that does not come to its end', () => {
  it('is aborted while the data is waited for', async () => {
    const controller = new AbortController();
    const data = dataOf(async function* () {
      yield rowsOf(0);
      controller.abort();
      await new Promise(() => undefined);
    });
    expect(await failureOf({ data, signal: controller.signal })).toMatchObject({ code: 'E_INTERRUPTED' });
  });

  it('leaves what it had found, which is taken up', async () => {
    const controller = new AbortController();
    let saved: SessionStatistics | undefined;
    const data = numbered(upTo(20));
    const onPartial = (found: SessionStatistics): void => {
      saved = found;
      if (found.samples >= 8) controller.abort();
    };
    await failureOf({ data, onPartial, partialEveryMs: 0, signal: controller.signal });
    expect(saved?.samples).toBeGreaterThanOrEqual(8);
    const rest = await run({ data, resume: saved });
    expect(rest.resumedSamples).toBe(saved?.samples);
    const whole = await run({ data });
    expect(JSON.stringify(rest.statistics)).toBe(JSON.stringify(whole.statistics));
  });

  it('is not taken up by a run of fewer samples', async () => {
    const { statistics: resume } = await run({ data: numbered(upTo(8)) });
    const fewer = await run({ data: numbered(upTo(8)), samples: 4, resume });
    expect(fewer.resumedSamples).toBe(0);
    expect(JSON.stringify(fewer.statistics)).toBe(JSON.stringify((await run({ data: numbered(upTo(4)) })).statistics));
  });

  it('is not taken up with other data, another model or other requests', async () => {
    const { statistics: resume } = await run();
    const zeros = '0'.repeat(64);
    for (const [other, what] of [
      [{ ...resume, model: zeros }, 'another model'],
      [{ ...resume, requests: zeros }, 'other observations'],
      [{ ...resume, data: resume.data.map((shard) => ({ ...shard, hash: zeros })) }, 'other data'],
    ] as const) {
      const notes: string[] = [];
      const { resumedSamples, statistics } = await run({
        resume: other,
        onEvent: (event) => event.type === 'note' && notes.push(event.message),
      });
      expect(resumedSamples).toBe(0);
      expect(notes).toEqual([expect.stringContaining(what)]);
      expect(statistics).toEqual(resume);
    }
  });
});

describe('progress', () => {
  it('tells how many of how many, and the time left', async () => {
    const events: string[] = [];
    const times: number[] = [];
    await run({
      data: numbered(upTo(3)),
      onEvent: (event) => {
        if (event.type === 'progress') times.push(event.remainingMs ?? -1);
        events.push(event.type === 'progress' ? `${event.stage} ${event.done}/${event.total}` : event.type);
      },
    });
    expect(events).toEqual(['stage', 'calibrate 1/3', 'calibrate 2/3', 'calibrate 3/3']);
    expect(times.every((time) => time >= 0)).toBe(true);
    expect(times.at(-1)).toBe(0);
  });
});

const zoo = zooPaths('own/digits-vit/onnx/model.onnx', 'models/minilm/onnx/model.onnx');

describe('real models', () => {
  it.skipIf(!zoo).each([0, 1])(
    '%i: taps show what the untouched model computes, ranges by reductions too',
    async (at) => {
      const path = (zoo as string[])[at] as string;
      const loaded = loadModelSync(path);
      const ids = valueIds(loaded.model);
      const inputs = [...loaded.model.graph.nodes()]
        .filter(({ op }) => op === 'MatMul' || op === 'Conv' || op === 'Gemm')
        .flatMap((node) => node.inputs.slice(0, 2));
      const tensors = new Set(inputs.flatMap((value) => (value && ids.has(value) ? [ids.get(value) as string] : [])));
      const feeds = makeInputs(loaded.model, { seed: 1, variant: 0 });
      const data = numbered([0], (index) => ({ index, feeds }));
      let outputs: Record<string, TensorData> = {};
      const spy: Runtime = {
        ...onnxruntime,
        createSession: async (...parameters) => {
          const session: Session = await onnxruntime.createSession(...parameters);
          const names = loaded.model.graph.outputs.map(({ name }) => name ?? '');
          const close = async (): Promise<void> => {
            outputs = await session.run(feeds, names);
            await session.close();
          };
          return { ...session, close };
        },
      };
      const whole = await run({ path, data, runtime: spy, requests: histograms(...tensors) });
      expect(whole.unobservable).toEqual([]);
      expect(Object.keys(whole.statistics.tensors)).toHaveLength(tensors.size);
      const ranges = await run({ path, data, requests: [...tensors].map((tensor) => ({ tensor, detail: 'range' })) });
      for (const [tensor, { histogram, ...range }] of Object.entries(whole.statistics.tensors))
        expect(ranges.statistics.tensors[tensor], tensor).toEqual(range);
      // The original's own outputs, by the same runtime.
      const untouched = await onnxruntime.createSession({ path }, { from: root });
      const expected = await untouched.run(feeds);
      await untouched.close();
      for (const [name, tensor] of Object.entries(expected)) {
        const got = Array.from(numbersOf(outputs[name] as TensorData) ?? []);
        const want = Array.from(numbersOf(tensor) ?? []);
        expect(got).toHaveLength(want.length);
        // Taps keep some operators from being fused, which rounds differently: 1e-5 of the greatest value.
        const scale = want.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        want.forEach((value, index) => expect(Math.abs(value - (got[index] as number))).toBeLessThan(1e-5 * scale));
      }
      loaded.close();
    },
  );
});
