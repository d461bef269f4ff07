import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../../packages/core/src/foundation/index.ts';
import { eventually, optimum, processesWith, startOptimum, wait } from '../../../tools/testing/cli.ts';
import { snapshot, writeTiny, writeTinyFolder } from '../../../tools/testing/tiny-models.ts';

// These tests run the built program; `npm test` builds it first.
const root = mkdtempSync(join(tmpdir(), 'optimum-signals-'));
const runs = Number(process.env.OPTIMUM_SIGNAL_RUNS ?? 30);
const seed = Number(process.env.OPTIMUM_SEED ?? 20_260_101);
/** Runs at the same time. */
const lanes = 3;
const onLinux = process.platform === 'linux';

afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Workplace {
  readonly folder: string;
  readonly temporary: string;
  readonly env: Readonly<Record<string, string>>;
  readonly mark: string;
}

let next = 0;

/** A model and a model folder with outputs that stand already, and a mark by which all processes can be found. */
async function workplace(): Promise<Workplace> {
  const mark = `${process.pid}-${next++}`;
  const folder = join(root, mark, 'place');
  const temporary = join(root, mark, 'tmp');
  mkdirSync(temporary, { recursive: true });
  await writeTiny(join(folder, 'model.onnx'));
  await writeTinyFolder(join(folder, 'folder'), ['encoder_model', 'decoder_model_merged']);
  writeFileSync(join(folder, 'model_quantized.onnx'), 'what stood before');
  await writeTinyFolder(join(folder, 'folder-optimized'));
  return { folder, temporary, mark, env: { TMPDIR: temporary, OPTIMUM_TEST_MARK: mark } };
}

const commands = {
  file: ['quantize', 'model.onnx', '--force', '--quiet'],
  folder: ['quantize', 'folder', '--force', '--quiet'],
} as const;

type Kind = keyof typeof commands;

/** What is below the folder when the command has run to its end, and how long that takes. */
const finished = new Map<Kind, { readonly after: Record<string, string>; readonly durationMs: number }>();

/** Reports hold no times, so two runs make the same bytes. */
beforeAll(async () => {
  for (const kind of ['file', 'folder'] as const) {
    const { folder, env } = await workplace();
    const start = performance.now();
    expect(optimum(commands[kind], { cwd: folder, env })).toMatchObject({ code: 0, out: '', err: '' });
    finished.set(kind, { after: snapshot(folder), durationMs: performance.now() - start });
  }
});

const isGone = (mark: string): boolean => processesWith('OPTIMUM_TEST_MARK', mark).length === 0;

interface Trial {
  readonly kind: Kind;
  readonly signal: 'SIGINT' | 'SIGTERM';
  readonly delayMs: number;
  /** As a terminal does it: the runtime's process gets the signal, too. */
  readonly wholeGroup: boolean;
}

async function interrupt({ kind, signal, delayMs, wholeGroup }: Trial): Promise<void> {
  const { folder, temporary, env, mark } = await workplace();
  const before = snapshot(folder);
  const { child, ended } = startOptimum(commands[kind], { cwd: folder, env, detached: true });
  await wait(delayMs);
  try {
    process.kill(wholeGroup ? -(child.pid as number) : (child.pid as number), signal);
  } catch {
    // It has ended already.
  }
  const signalled = performance.now();
  const outcome = await ended;
  const label = JSON.stringify({ seed, trial: { kind, signal, delayMs, wholeGroup }, outcome });
  const expected = signal === 'SIGINT' ? 130 : 143;
  if (outcome.code === null) expect(outcome.signal, label).toBe(signal);
  else expect([0, expected], label).toContain(outcome.code);
  expect(performance.now() - signalled, label).toBeLessThan(5000);
  const after = finished.get(kind)?.after;
  // Before the program has its handlers and after it has let go of them, the signal itself ends it.
  const possible = outcome.code === 0 ? [after] : outcome.code === null ? [before, after] : [before];
  expect(possible, label).toContainEqual(snapshot(folder));
  expect(outcome.out, label).toBe('');
  if (outcome.code === expected) expect(outcome.err, label).toMatch(/^error E_INTERRUPTED: Interrupted/);
  expect(readdirSync(temporary), label).toEqual([]);
  expect(isGone(mark) || (await eventually(() => isGone(mark))), label).toBe(true);
}

describe('interrupted at any moment', () => {
  it(`leaves what stood there, byte for byte (${runs} times)`, async () => {
    const random = seededRandom(seed);
    const trials = Array.from({ length: runs }, (): Trial => {
      const kind = random.pick(['file', 'folder'] as const);
      const longest = (finished.get(kind)?.durationMs ?? 0) * 1.5;
      const signal = random.pick(['SIGINT', 'SIGTERM'] as const);
      return { kind, signal, delayMs: random.integer(longest), wholeGroup: random.next() < 0.5 };
    });
    const work = async (): Promise<void> => {
      for (let trial = trials.pop(); trial; trial = trials.pop()) await interrupt(trial);
    };
    await Promise.all(Array.from({ length: lanes }, work));
  }, 600_000);

  it('ends at once at the second Ctrl-C', async () => {
    const { folder, env, mark } = await workplace();
    const before = snapshot(folder);
    const { child, ended } = startOptimum(commands.folder, { cwd: folder, env });
    // In the proof: a runtime is there.
    await eventually(() => processesWith('OPTIMUM_TEST_MARK', mark).length > 1, 10_000);
    child.kill('SIGINT');
    child.kill('SIGINT');
    const start = performance.now();
    expect((await ended).code).toBe(130);
    expect(performance.now() - start).toBeLessThan(1000);
    expect(snapshot(folder)).toEqual(before);
    expect(await eventually(() => isGone(mark), 1000)).toBe(true);
  });

  it.skipIf(!onLinux)('killed: the runtime leaves by itself, and the next run takes up what was left', async () => {
    const random = seededRandom(seed);
    for (let round = 0; round < 2; round++) {
      const { folder, env, mark } = await workplace();
      const before = snapshot(folder);
      const kind = round % 2 === 0 ? 'file' : 'folder';
      const { child, ended } = startOptimum(commands[kind], { cwd: folder, env });
      await eventually(() => readdirSync(folder).some((name) => name.includes('.tmp-')), 10_000);
      await wait(random.integer(200));
      child.kill('SIGKILL');
      expect((await ended).signal).toBe('SIGKILL');
      expect(await eventually(() => isGone(mark))).toBe(true);
      const left = Object.keys(snapshot(folder)).filter((name) => name.includes('.tmp-'));
      expect(left.length).toBeGreaterThan(0);
      const kept = Object.entries(snapshot(folder)).filter(([name]) => !name.includes('.tmp-'));
      expect(Object.fromEntries(kept)).toEqual(before);
      expect(optimum(commands[kind], { cwd: folder, env }).code).toBe(0);
      expect(snapshot(folder)).toEqual(finished.get(kind)?.after);
    }
  });
});

describe('two runs with the same output at once', () => {
  it.each([
    ['without --force', []],
    ['with --force', ['--force']],
  ])('%s: one result, the other is told', async (_, more) => {
    for (let round = 0; round < 2; round++) {
      const { folder, env } = await workplace();
      const run = () => startOptimum(['quantize', 'model.onnx', '-o', 'out.onnx', ...more], { cwd: folder, env }).ended;
      const first = run();
      await wait(round * 60);
      const outcomes = await Promise.all([first, run()]);
      const codes = outcomes.map(({ code }) => code).sort();
      const label = JSON.stringify(outcomes);
      expect(codes[0], label).toBe(0);
      expect([0, 30, 32], label).toContain(codes[1]);
      // With --force the second may come when the first has just ended.
      if (more.length === 0 || round === 0) expect(codes[1], label).not.toBe(0);
      const told = outcomes.find(({ code }) => code !== 0)?.err ?? '';
      if (codes[1] === 32) expect(told).toMatch(/E_LOCKED: .*out\.onnx is being made by process \d+ since /);
      if (codes[1] === 30) expect(told).toMatch(/E_OUTPUT_EXISTS: /);
      expect(readdirSync(folder).filter((name) => name.includes('.tmp-'))).toEqual([]);
      const expected = finished.get('file')?.after['model_quantized.onnx'];
      expect(snapshot(folder)['out.onnx'], label).toBe(expected);
    }
  });
});

describe('a reader that goes away', () => {
  it.each([[['backends', '--json']], [['quantize', 'model.onnx', '--dry-run', '--json']]])(
    '%j ends quietly',
    async (args) => {
      const { folder, env } = await workplace();
      const { child, ended } = startOptimum(args, { cwd: folder, env });
      child.stdout?.destroy();
      expect(await ended).toMatchObject({ code: 0, err: '' });
      expect(readFileSync(join(folder, 'model_quantized.onnx'), 'utf8')).toBe('what stood before');
    },
  );
});
