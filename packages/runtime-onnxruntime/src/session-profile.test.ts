import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseModel, type Session, type SessionOptions, serializeModel, type TensorData } from '@optimum/core';
import { describe, expect, it } from 'vitest';
// @ts-expect-error: plain JavaScript, shipped as it is
import { operatorTimes } from '../process/operator-times.mjs';
import { createOnnxRuntime } from './runtime.ts';

const runtime = createOnnxRuntime({ from: import.meta.dirname });
const onLinux = process.platform === 'linux';

const model = {
  bytes: serializeModel(
    parseModel(`
      <ir_version: 8, opset_import: ["" : 17]>
      chain (float[n, 64] x) => (float[n, 64] y) {
        s = Sin(x)
        y = Cos(s)
      }`),
  ),
};

const feeds: Record<string, TensorData> = {
  x: { elementType: 'float32', dims: [512, 64], bytes: new Uint8Array(512 * 64 * 4) },
};

async function withSession<T>(options: SessionOptions, body: (session: Session) => Promise<T>): Promise<T> {
  const session = await runtime.createSession(model, options);
  try {
    return await body(session);
  } finally {
    await session.close();
  }
}

const profileFolders = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('optimum-profile-'));

describe('profile', () => {
  it('gives the times of the operators that run, with shapes, and leaves no file', async () => {
    const before = profileFolders();
    const operators = await withSession({ profile: true }, async (session) => {
      expect(profileFolders().length).toBeGreaterThan(before.length);
      return session.profile(feeds, 5);
    });
    expect(operators.map(({ op }) => op)).toEqual(['Sin', 'Cos']);
    for (const { meanUs, shortestUs, inputs, outputs } of operators) {
      expect(shortestUs).toBeGreaterThan(0);
      expect(meanUs).toBeGreaterThanOrEqual(shortestUs);
      expect([inputs, outputs]).toEqual([[[512, 64]], [[512, 64]]]);
    }
    expect(profileFolders().filter((name) => !before.includes(name))).toEqual([]);
  });

  it('leaves no file when it is never asked for, or when the model does not load', async () => {
    const before = profileFolders();
    await withSession({ profile: true }, async (session) => session.time(feeds, 2));
    const broken = runtime.createSession({ bytes: Uint8Array.of(1, 2, 3) }, { profile: true });
    await expect(broken).rejects.toMatchObject({ code: 'E_VERIFY_LOAD' });
    expect(profileFolders().filter((name) => !before.includes(name))).toEqual([]);
  });

  it('is refused without the option, and a second time', async () => {
    const refusal = { code: 'E_USAGE', hint: expect.stringContaining('profile: true') };
    await withSession({}, (session) => expect(session.profile(feeds, 1)).rejects.toMatchObject(refusal));
    await withSession({ profile: true }, async (session) => {
      await session.profile(feeds, 1);
      await expect(session.profile(feeds, 1)).rejects.toMatchObject(refusal);
      expect(await session.time(feeds, 1)).toHaveLength(1);
    });
  });
});

describe('operatorTimes', () => {
  const node = (name: string, op: string, ts: number, dur: number) => ({
    cat: 'Node',
    name: `${name}_kernel_time`,
    ts,
    dur,
    args: { op_name: op, node_index: '0', input_type_shape: [{ float: [2, 3] }], output_type_shape: [] },
  });
  const run = (ts: number, dur: number) => ({ cat: 'Session', name: 'model_run', ts, dur, args: {} });

  it('counts the last runs only', () => {
    const events = [run(0, 90), node('a', 'Sin', 10, 80), run(100, 9), node('a', 'Sin', 101, 6), run(110, 9)];
    const [a] = operatorTimes([...events, node('a', 'Sin', 112, 2)], 2);
    expect(a).toEqual({ name: 'a', op: 'Sin', meanUs: 4, shortestUs: 2, inputs: [[2, 3]], outputs: [] });
  });

  it('takes what an inner graph needs off its operator, and adds up its turns', () => {
    const inner = [node('b', 'Sin', 2, 10), node('b', 'Sin', 20, 30)];
    // The profiler writes an event when it ends: the loop comes after its body.
    const times = operatorTimes([...inner, node('l', 'Loop', 1, 60), node('c', 'Cos', 61, 5), run(0, 70)], 1);
    expect(times).toMatchObject([
      { name: 'l', meanUs: 20 },
      { name: 'b', meanUs: 40 },
      { name: 'c', meanUs: 5 },
    ]);
  });
});

/** Affinities of all threads of the session processes of this process. */
function affinities(): Set<string> {
  const read = (path: string): string => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      // It ended meanwhile.
      return '';
    }
  };
  const own = readdirSync('/proc').filter(
    (pid) =>
      /^\d+$/.test(pid) &&
      read(`/proc/${pid}/status`).includes(`PPid:\t${process.pid}\n`) &&
      read(`/proc/${pid}/cmdline`).includes('session-process'),
  );
  const threads = own.flatMap((pid) => readdirSync(`/proc/${pid}/task`).map((id) => `/proc/${pid}/task/${id}/status`));
  return new Set(threads.map((path) => /Cpus_allowed_list:\s*(\S+)/.exec(read(path))?.[1] ?? ''));
}

describe('cores and environment', () => {
  it.skipIf(!onLinux)('every thread of the process stays on the cores', async () => {
    await withSession({ cores: [0], threads: 3 }, async (session) => {
      await session.time(feeds, 3);
      expect([...affinities()]).toEqual(['0']);
    });
  });

  it.skipIf(!onLinux).each([[[]], [[-1]], [[0.5]], [[100_000]]])('cores %j are refused', async (cores) => {
    await expect(runtime.createSession(model, { cores })).rejects.toMatchObject({
      code: 'E_USAGE',
      hint: expect.stringMatching(/It may use \d/),
    });
  });

  it.skipIf(!onLinux)('without taskset, the error says how to get it', async () => {
    const path = process.env.PATH;
    try {
      process.env.PATH = join(tmpdir(), 'nothing here');
      const error = { code: 'E_USAGE', hint: expect.stringContaining('util-linux') };
      await expect(runtime.createSession(model, { cores: [0] })).rejects.toMatchObject(error);
    } finally {
      process.env.PATH = path;
    }
  });

  it('environment reaches the process, but cannot turn telemetry on', async () => {
    const environment = { ORT_DISABLE_TELEMETRY: '0', OPTIMUM_TEST_VARIABLE: `here ${process.pid}` };
    await withSession({ environment }, async (session) => {
      expect(await session.time(feeds, 1)).toHaveLength(1);
      if (!onLinux) return;
      const marked = readdirSync('/proc').flatMap((pid) => environmentOf(pid));
      const child = marked.find((text) => text.includes(`OPTIMUM_TEST_VARIABLE=here ${process.pid}`));
      expect(child).toContain('ORT_DISABLE_TELEMETRY=1');
    });
  });

  it('a library that does not exist is not passed over', async () => {
    const environment = { LD_PRELOAD: '/nowhere/libjemalloc.so.2' };
    await expect(runtime.createSession(model, { environment })).rejects.toMatchObject({
      code: 'E_USAGE',
      message: 'LD_PRELOAD names /nowhere/libjemalloc.so.2, which does not exist.',
    });
  });
});

function environmentOf(pid: string): string[] {
  try {
    return [readFileSync(`/proc/${pid}/environ`, 'utf8').replaceAll('\0', '\n')];
  } catch {
    return [];
  }
}
