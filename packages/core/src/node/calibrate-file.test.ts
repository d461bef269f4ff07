import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, wait } from '../../../../tools/testing/cli.ts';
import { root } from '../../../../tools/testing/zoo.ts';
import { onnxruntime } from '../../../runtime-onnxruntime/src/index.ts';
import { seededRandom } from '../foundation/index.ts';
import type { ObservationRequest, Statistics } from '../observe/index.ts';
import { serializeModel } from '../onnx/index.ts';
import { parseModel } from '../text/index.ts';
import type { CalibrationData } from './calibrate.ts';
import { type CalibrateFileOptions, calibrateFor } from './calibrate-file.ts';
import { mergeStatisticsFiles, readStatistics } from './calibrate-merge.ts';
import type { Preparation } from './prepare.ts';

const folder = mkdtempSync(join(tmpdir(), 'optimum-calibrate-file-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const model = join(folder, 'model.onnx');
beforeAll(() => {
  const text = `<ir_version: 8, opset_import: ["": 17]>
    g (float[n, 4] x) => (float[n, 4] z) <float[4, 4] w = {1, -2, 3, 4, -5, 6, 7, -8, 9, 1, 2, 3, 4, 5, 6, 7}>
    { h = MatMul(x, w) r = Relu(h) z = Sin(r) }`;
  writeFileSync(model, serializeModel(parseModel(text)));
});

const preparation = {
  target: { id: 'test' },
  recipe: { id: 'static', mode: 'static', session: {} },
  backend: { runtime: onnxruntime },
  capabilities: [],
} as unknown as Preparation;

const requests = (): readonly ObservationRequest[] =>
  ['x', 'h', 'r'].map((tensor) => ({ tensor, detail: 'histogram' }));

/** Samples with these numbers; `delayMs` makes a run last. */
function dataOf(numbers: readonly number[], delayMs = 0): CalibrationData {
  return {
    hash: 'd'.repeat(64),
    source: 'test data',
    count: numbers.length,
    async *samples() {
      for (const index of numbers) {
        const random = seededRandom(index);
        const numbersOf = Float32Array.from({ length: 8 }, () => random.normal());
        const bytes = new Uint8Array(numbersOf.buffer);
        if (delayMs > 0) await wait(delayMs);
        yield { index, feeds: { x: { elementType: 'float32', dims: [2, 4], bytes } } };
      }
    },
  };
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

const run = (output: string, more: Partial<CalibrateFileOptions> = {}) =>
  calibrateFor(preparation, {
    input: model,
    output: join(folder, output),
    requests,
    data: async () => dataOf(upTo(6)),
    projectFolder: root,
    ...more,
  });

const text = (name: string): string => readFileSync(join(folder, name), 'utf8');

describe('calibrateFile', () => {
  it('writes statistics that can be read again, and leaves nothing beside them', async () => {
    const report = await run('plain.json', { partialEveryMs: 0 });
    expect(report).toMatchObject({ target: 'test', recipe: 'static', sessions: [{ name: 'model', samples: 6 }] });
    const statistics: Statistics = readStatistics(join(folder, 'plain.json'));
    expect(statistics.sessions.model).toEqual(report.sessions[0]?.statistics);
    expect(Object.keys(statistics.sessions.model?.tensors ?? {})).toEqual(['h', 'r', 'x']);
    expect(readdirSync(folder).sort()).toEqual(['model.onnx', 'plain.json']);
  });

  it('replaces nothing without force', async () => {
    writeFileSync(join(folder, 'taken.json'), 'mine');
    await expect(run('taken.json')).rejects.toMatchObject({ code: 'E_OUTPUT_EXISTS' });
    expect(text('taken.json')).toBe('mine');
    await run('taken.json', { force: true });
    expect(text('taken.json')).toBe(text('plain.json'));
  });

  it('makes up inputs where there is no data', async () => {
    const report = await run('made-up.json', { data: undefined });
    expect(report.sessions).toMatchObject([{ madeUp: true, statistics: { data: [{ source: 'made-up inputs' }] } }]);
  });

  it('asks for something to observe', async () => {
    await expect(run('none.json', { requests: () => [] })).rejects.toMatchObject({ code: 'E_NOTHING_TO_QUANTIZE' });
    await expect(run('none.json', { data: async () => undefined })).rejects.toMatchObject({ exitCode: 22 });
  });

  it('keeps nothing of data that is no good', async () => {
    const broken: CalibrationData = {
      ...dataOf([]),
      async *samples() {
        yield* dataOf(upTo(3), 5).samples();
        throw new Error('broken');
      },
    };
    const failing = run('broken.json', { data: async () => broken, partialEveryMs: 0 });
    await expect(failing).rejects.toMatchObject({ code: 'E_DATA_INVALID' });
    expect(readdirSync(folder).filter((name) => name.startsWith('broken'))).toEqual([]);
  });

  it('goes on after an interruption, and ends with the same bytes', async () => {
    const controller = new AbortController();
    const first = run('stopped.json', {
      partialEveryMs: 0,
      signal: controller.signal,
      onEvent: (event) => event.type === 'progress' && event.done === 4 && controller.abort(),
    });
    await expect(first).rejects.toMatchObject({ code: 'E_INTERRUPTED' });
    expect(readdirSync(folder).filter((name) => name.startsWith('stopped'))).toEqual(['stopped.json.partial']);
    const { sessions } = await run('stopped.json');
    expect(sessions[0]?.resumedSamples).toBeGreaterThanOrEqual(3);
    expect(text('stopped.json')).toBe(text('plain.json'));
    expect(existsSync(join(folder, 'stopped.json.partial'))).toBe(false);
  });

  it('leaves a partial file aside that is none, with a note', async () => {
    writeFileSync(join(folder, 'odd.json.partial'), '{"version": 2}');
    const notes: string[] = [];
    const { sessions } = await run('odd.json', {
      onEvent: (event) => event.type === 'note' && notes.push(event.message),
    });
    expect(sessions[0]?.resumedSamples).toBe(0);
    expect(notes).toEqual([expect.stringContaining('an earlier run cannot be taken up: ')]);
    expect(text('odd.json')).toBe(text('plain.json'));
  });
});

describe('mergeStatisticsFiles', () => {
  it('adds up to what one run finds', async () => {
    const [odd, even] = [1, 0].map((rest) => upTo(6).filter((index) => index % 2 === rest));
    await run('odd-samples.json', { data: async () => dataOf(odd as number[]) });
    await run('even-samples.json', { data: async () => dataOf(even as number[]) });
    const parts = ['odd-samples.json', 'even-samples.json'].map((name) => join(folder, name));
    mergeStatisticsFiles(parts, join(folder, 'merged.json'));
    expect(text('merged.json')).toBe(text('plain.json'));
    expect(() => mergeStatisticsFiles(parts, join(folder, 'merged.json'))).toThrow(/exists already/);
    const twice = [parts[0] as string, parts[0] as string];
    expect(() => mergeStatisticsFiles(twice, join(folder, 'twice.json'))).toThrow(
      expect.objectContaining({ code: 'E_STATISTICS_MISMATCH' }),
    );
    expect(existsSync(join(folder, 'twice.json'))).toBe(false);
  });

  it('names a file that cannot be read', () => {
    const missing = join(folder, 'missing.json');
    expect(() => readStatistics(missing)).toThrow(expect.objectContaining({ code: 'E_IO' }));
    expect(() => readStatistics(model)).toThrow(expect.objectContaining({ code: 'E_STATISTICS_INVALID' }));
  });
});

/** A calibration as a program of its own, made of the sources, so that it can be killed. Returns its path. */
async function buildProgram(): Promise<string> {
  // esbuild comes with tsup.
  const { build } = createRequire(createRequire(join(root, 'package.json')).resolve('tsup'))('esbuild');
  const sources = join(root, 'packages');
  const contents = `
    import { calibrateFor } from ${JSON.stringify(join(sources, 'core/src/node/calibrate-file.ts'))};
    import { onnxruntime } from ${JSON.stringify(join(sources, 'runtime-onnxruntime/src/index.ts'))};
    const [input, output, delay, projectFolder] = process.argv.slice(2);
    const preparation = {
      target: { id: 'test' }, recipe: { id: 'static', mode: 'static', session: {} },
      backend: { runtime: onnxruntime }, capabilities: [],
    };
    const wait = (ms) => new Promise((done) => setTimeout(done, ms));
    async function* samples() {
      for (let index = 0; index < 60; index++) {
        await wait(Number(delay));
        const bytes = new Uint8Array(Float32Array.from({ length: 4 }, (_, at) => Math.sin(index * 4 + at)).buffer);
        yield { index, feeds: { x: { elementType: 'float32', dims: [1, 4], bytes } } };
      }
    }
    const requests = () => ['x', 'h', 'r'].map((tensor) => ({ tensor, detail: 'histogram' }));
    const data = async () => ({ hash: 'e'.repeat(64), source: 'test data', count: 60, samples });
    const report = await calibrateFor(preparation, { input, output, requests, data, projectFolder, partialEveryMs: 20 });
    console.log(report.sessions[0].resumedSamples);`;
  const place = join(folder, 'program');
  mkdirSync(place);
  // The process that runs the model is found beside the program, as in the package.
  symlinkSync(join(sources, 'runtime-onnxruntime/process'), join(folder, 'process'));
  const outfile = join(place, 'calibrate.mjs');
  await build({
    ...{ stdin: { contents, resolveDir: root, loader: 'ts' }, outfile, bundle: true },
    ...{ platform: 'node', format: 'esm', conditions: ['@optimum/source'], logLevel: 'silent' },
    // Only quantizing loads it.
    external: ['./plan-with-data.ts'],
  });
  return outfile;
}

describe.skipIf(process.platform !== 'linux')('a process that is killed', () => {
  it('has its work taken up by the next one, to the same bytes', async () => {
    const program = await buildProgram();
    const start = (output: string, delay: number) => {
      const child = spawn('node', [program, model, join(folder, output), String(delay), root]);
      let out = '';
      child.stdout.on('data', (chunk) => (out += chunk));
      child.stderr.on('data', (chunk) => (out += chunk));
      return { child, ended: new Promise<string>((resolve) => child.on('close', () => resolve(out.trim()))) };
    };
    const killed = start('killed.json', 50);
    const samplesIn = (): number => {
      const partial = join(folder, 'killed.json.partial');
      return existsSync(partial) ? (readStatistics(partial).sessions.model?.samples ?? 0) : 0;
    };
    expect(await eventually(() => samplesIn() >= 5, 15_000)).toBe(true);
    killed.child.kill('SIGKILL');
    await killed.ended;
    expect(existsSync(join(folder, 'killed.json'))).toBe(false);
    const resumed = Number(await start('killed.json', 0).ended);
    expect(resumed).toBeGreaterThanOrEqual(5);
    expect(resumed).toBeLessThan(60);
    expect(await start('whole.json', 0).ended).toBe('0');
    expect(text('killed.json')).toBe(text('whole.json'));
    // Nothing of the killed run is left.
    expect(readdirSync(folder).filter((name) => name.includes('killed'))).toEqual(['killed.json']);
  });
});
