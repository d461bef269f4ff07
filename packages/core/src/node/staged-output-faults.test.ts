import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { snapshot, tinyModel, writeTiny, writeTinyFolder } from '../../../../tools/testing/tiny-models.ts';
import { OptimumError } from '../foundation/index.ts';
import { outputCalls } from './file-sink.ts';
import { quantize } from './quantize.ts';
import { saveModel } from './save-model.ts';

// Thousands of files are made durable here: in memory that costs nothing.
const root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'optimum-faults-'));
// Backends are found through the dependencies of the command-line program.
const projectFolder = resolve(dirname(fileURLToPath(import.meta.url)), '../../../../apps/cli');
const real = { ...outputCalls };
// This one never fails, it says false.
const names = Object.keys(real).filter((name) => name !== 'existsSync') as (keyof typeof outputCalls)[];

afterEach(() => void Object.assign(outputCalls, real));
afterAll(() => rmSync(root, { recursive: true, force: true }));

type Fault = 'ENOSPC' | 'EIO' | 'EACCES' | 'EINTR' | 'short write';
/** All errors but EINTR take the same way. */
const fewFaults: readonly Fault[] = ['ENOSPC', 'EINTR', 'short write'];
const faults: readonly Fault[] = ['ENOSPC', 'EIO', 'EACCES', 'EINTR', 'short write'];

/** Makes the k-th call of the output fail. Returns what tells how many calls there were, and which one failed. */
function inject(k: number, fault: Fault): { calls: number; hit: string | undefined } {
  const seen: { calls: number; hit: string | undefined } = { calls: 0, hit: undefined };
  for (const name of names) {
    const call = real[name] as (...parameters: unknown[]) => unknown;
    const faulty = (...parameters: unknown[]): unknown => {
      if (seen.calls++ !== k) return call(...parameters);
      seen.hit = name;
      if (fault === 'short write') return name === 'writeSync' ? shortWrite(call, parameters) : call(...parameters);
      // A descriptor is gone when its close fails.
      if (name === 'closeSync') call(...parameters);
      throw Object.assign(new Error(`${fault}: injected into ${name}`), { code: fault });
    };
    Object.assign(outputCalls, { [name]: faulty });
  }
  return seen;
}

function shortWrite(call: (...parameters: unknown[]) => unknown, parameters: readonly unknown[]): unknown {
  const [descriptor, bytes, offset, length, position] = parameters;
  return call(descriptor, bytes, offset, Math.ceil((length as number) / 2), position);
}

/**
 * Runs `action` once for every fault in every call. Afterwards the folder must be as before, or hold the complete new
 * output: nothing between, and nothing beside.
 */
async function exhaust(
  { folder, prepare }: Workplace,
  action: () => Promise<unknown>,
  kinds: readonly Fault[] = faults,
): Promise<number> {
  await prepare();
  const before = snapshot(folder);
  await action();
  const after = snapshot(folder);
  let runs = 0;
  for (const fault of kinds) {
    for (let k = 0, last = false; !last; k++, runs++) {
      await prepare();
      const seen = inject(k, fault);
      const error = await action().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      Object.assign(outputCalls, real);
      last = seen.hit === undefined;
      const label = `${fault} in call ${k} (${seen.hit})`;
      expect(snapshot(folder), label).toEqual(error ? before : after);
      if (error) expect([label, codeOf(error)]).toEqual([label, fault === 'ENOSPC' ? 'E_NO_SPACE' : 'E_IO']);
      if (error) expect((error as Error).message, label).toContain(folder);
      if (fault === 'EINTR' || fault === 'short write') expect(error, label).toBeUndefined();
    }
  }
  return runs;
}

const codeOf = (error: unknown): string =>
  OptimumError.isInstance(error) ? error.code : `untyped: ${String((error as Error).stack)}`;

interface Workplace {
  readonly folder: string;
  /** Fills the folder anew. */
  prepare(): Promise<void>;
}

function workplace(name: string, fill: (folder: string) => Promise<void>): Workplace {
  const folder = join(root, name);
  const template = join(root, `${name}.template`);
  let made: Promise<void> | undefined;
  const prepare = async (): Promise<void> => {
    mkdirSync(template, { recursive: true });
    made ??= fill(template);
    await made;
    rmSync(folder, { recursive: true, force: true });
    cpSync(template, folder, { recursive: true });
  };
  return { folder, prepare };
}

const old = (folder: string, name: string): void => writeFileSync(join(folder, name), `old ${name}`);

describe('every call of the output fails once', () => {
  it.each([
    ['a new file', 'auto', false, false],
    ['a new file in new folders', 'auto', false, false],
    ['a replaced file', 'auto', true, true],
    ['two new files', 'always', false, false],
    ['two replaced files', 'always', true, true],
    ['one of two replaced', 'always', true, false],
  ] as const)('saveModel: %s', async (name, externalData, isThere, isDataThere) => {
    const place = workplace(`save ${name}`, async (template) => {
      if (isThere) old(template, 'm.onnx');
      if (isDataThere) old(template, 'm.onnx_data');
      old(template, 'other.txt');
    });
    const path = join(place.folder, name.endsWith('folders') ? 'a/b/m.onnx' : 'm.onnx');
    const runs = await exhaust(place, () =>
      saveModel(tinyModel({ layers: 1, width: 16 }), path, { force: isThere, externalData }),
    );
    expect(runs).toBeGreaterThan(50);
  });

  it.each([false, true])('quantize: a file (it exists: %s)', async (isThere) => {
    const place = workplace(`file ${isThere}`, async (template) => {
      await writeTiny(join(template, 'model.onnx'));
      if (isThere) old(template, 'model_quantized.onnx');
    });
    const input = join(place.folder, 'model.onnx');
    await exhaust(place, () => quantize({ input, projectFolder, verify: false, force: isThere }), fewFaults);
  });

  it.each([false, true])('quantize: a folder (it exists: %s)', async (isThere) => {
    const place = workplace(`folder ${isThere}`, async (template) => {
      await writeTinyFolder(join(template, 'in'), ['decoder_model_merged', 'encoder_model']);
      if (!isThere) return;
      await writeTinyFolder(join(template, 'out'));
      old(template, 'out/left-over.txt');
    });
    const input = join(place.folder, 'in');
    const output = join(place.folder, 'out');
    const action = () => quantize({ input, output, projectFolder, verify: false, force: isThere });
    await exhaust(place, action, fewFaults);
  });
});

describe('a rename that fails and cannot be taken back', () => {
  it('keeps what stood there, says where, and the next run puts it back', async () => {
    const { folder, prepare } = workplace('stuck', async (template) => {
      old(template, 'm.onnx');
      old(template, 'm.onnx_data');
    });
    await prepare();
    let renames = 0;
    outputCalls.renameSync = (from, to) => {
      if (renames++ > 0) throw Object.assign(new Error('EIO'), { code: 'EIO' });
      real.renameSync(from, to);
    };
    const failure = await saveModel(tinyModel(), join(folder, 'm.onnx'), { force: true, externalData: 'always' }).catch(
      (error: OptimumError) => error,
    );
    Object.assign(outputCalls, real);
    expect(failure).toMatchObject({ code: 'E_IO' });
    const kept = (failure as OptimumError).context.kept as string;
    expect(readFileSync(join(kept, 'm.onnx_data'), 'utf8')).toBe('old m.onnx_data');
    // The run that left it is this process, which lives: give the folder the name of one that does not.
    const dead = dirname(kept).replace(`tmp-${process.pid}-`, `tmp-${deadProcess()}-`);
    real.renameSync(dirname(kept), dead);
    await expect(saveModel(tinyModel(), join(folder, 'm.onnx'))).rejects.toMatchObject({ code: 'E_OUTPUT_EXISTS' });
    expect(Object.keys(snapshot(folder))).toEqual(['m.onnx', 'm.onnx_data']);
    expect(readFileSync(join(folder, 'm.onnx_data'), 'utf8')).toBe('old m.onnx_data');
  });
});

/** Number of a process that has ended. */
const deadProcess = (): number => spawnSync('node', ['-e', '']).pid;

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;

/** Mounts a small file system; `undefined` where that is not allowed. */
function mountTmpfs(name: string, options: string): string | undefined {
  const folder = join(root, name);
  mkdirSync(folder, { recursive: true });
  const { status } = isRoot ? spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]) : { status: 1 };
  if (status === 0) return folder;
  console.warn('skipped: real file systems that are full or read-only need root and mount');
  return undefined;
}

describe('real file systems', () => {
  it.each([
    ['told before any work', true],
    ['found while writing', false],
  ])('a full disk, %s', async (_, canTell) => {
    const folder = mountTmpfs(`full ${canTell}`, 'size=512k');
    if (!folder) return;
    try {
      writeFileSync(join(folder, 'm.onnx'), 'the last good model');
      // Some file systems promise more than they have.
      if (!canTell)
        outputCalls.statfsSync = (() => ({ bavail: 1e9, bsize: 4096 })) as unknown as typeof real.statfsSync;
      const before = snapshot(folder);
      const big = tinyModel({ layers: 3, width: 256 });
      await expect(saveModel(big, join(folder, 'm.onnx'), { force: true })).rejects.toMatchObject({
        code: 'E_NO_SPACE',
        exitCode: 31,
        hint: expect.stringContaining('Free some space'),
      });
      expect(snapshot(folder)).toEqual(before);
    } finally {
      execFileSync('umount', [folder]);
    }
  });

  it('a read-only one', async () => {
    const folder = mountTmpfs('read-only', 'size=512k');
    if (!folder) return;
    try {
      writeFileSync(join(folder, 'm.onnx'), 'the last good model');
      execFileSync('mount', ['-o', 'remount,ro', folder]);
      await expect(saveModel(tinyModel(), join(folder, 'm.onnx'), { force: true })).rejects.toMatchObject({
        code: 'E_IO',
        message: expect.stringContaining('read-only'),
      });
      await expect(saveModel(tinyModel(), join(folder, 'a/m.onnx'))).rejects.toMatchObject({ code: 'E_IO' });
    } finally {
      execFileSync('umount', [folder]);
    }
  });

  it.skipIf(isRoot)('a folder without permission', async () => {
    const folder = join(root, 'forbidden');
    mkdirSync(folder);
    chmodSync(folder, 0o500);
    await expect(saveModel(tinyModel(), join(folder, 'm.onnx'))).rejects.toMatchObject({ code: 'E_IO', exitCode: 30 });
    chmodSync(folder, 0o700);
  });
});
