import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Runtime } from '../backend/index.ts';
import { cacheFolder } from './cache-folder.ts';
import { costTableKey, costTablePath, costTableSubject, readCostTable } from './cost-table-file.ts';
import { readCpuFacts } from './cpu-facts.ts';
import { outputCalls } from './file-sink.ts';
import { keptCostTable } from './probe-cache.ts';
import { tableOf } from './test-cost-table.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'optimum-cache-'));
  vi.stubEnv('OPTIMUM_CACHE', folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  chmodSync(folder, 0o755);
  rmSync(folder, { recursive: true, force: true });
});

/** A runtime that is measured at once, and counts how often. */
function measurable(version = '1.30.0') {
  const probe = vi.fn(async () => tableOf(runtime, version, (us) => us / 4));
  const runtime: Runtime = {
    specVersion: 1,
    id: 'fake',
    capabilities: [],
    limits: { opset: 1, irVersion: 1 },
    probeVersion: 3,
    status: async () => ({ status: 'found', version, path: '' }),
    createSession: async () => Promise.reject(new Error('no sessions here')),
    probe,
  };
  return { runtime, probe };
}

const facts = readCpuFacts();
const subjectOf = async (runtime: Runtime) => {
  const subject = await costTableSubject(runtime, facts);
  if (!subject) throw new Error('no subject');
  return subject;
};

describe('keptCostTable', () => {
  it('measures once for each runtime version, probe version and CPU', async () => {
    const { runtime, probe } = measurable();
    const first = await keptCostTable(runtime, facts);
    const second = await keptCostTable(runtime, facts);
    expect([first.origin, second.origin]).toEqual(['measured', 'kept']);
    expect(second.table).toEqual(first.table);
    expect(probe).toHaveBeenCalledTimes(1);
    const other = measurable('1.31.0');
    expect((await keptCostTable(other.runtime, facts)).origin).toBe('measured');
    expect((await keptCostTable({ ...runtime, probeVersion: 4 }, facts)).origin).toBe('measured');
    expect((await keptCostTable(runtime, { ...facts, modelName: 'another CPU' })).origin).toBe('measured');
    expect((await keptCostTable(runtime, facts, { force: true })).origin).toBe('measured');
  });

  it.each([
    ['that is half written', (text: string) => text.slice(0, text.length / 2), /not JSON/],
    ['that is empty', () => '', /not JSON/],
    ['of something else', () => '[1, 2]', /schema is undefined/],
    ['of another CPU', (text: string) => text.replace('"modelName": "', '"modelName": "other '), /another CPU/],
    ['of another runtime', (text: string) => text.replace('"version": "1', '"version": "9'), /another runtime/],
    ['of another probe', (text: string) => text.replace('"probeVersion": 3', '"probeVersion": 2'), /probe version 2/],
    [
      'with a broken time',
      (text: string) => text.replace(/"microseconds": [\d.e-]+/, '"microseconds": -1'),
      /times are broken/,
    ],
    ['without a behaviour', (text: string) => text.replace('"exact"', '"perhaps"'), /no behaviour/],
  ])('measures again in place of a file %s, and says so', async (_what, spoil, why) => {
    const { runtime, probe } = measurable();
    const { path } = await keptCostTable(runtime, facts);
    writeFileSync(path, spoil(readFileSync(path, 'utf8')));
    const again = await keptCostTable(runtime, facts);
    expect(again.origin).toBe('measured');
    expect(again.notes.join()).toMatch(why);
    expect(probe).toHaveBeenCalledTimes(2);
    expect((await keptCostTable(runtime, facts)).origin).toBe('kept');
  });

  it('goes on without keeping it where the folder cannot be written', async () => {
    const { runtime } = measurable();
    writeFileSync(join(folder, 'probe'), 'a file where a folder should be');
    const result = await keptCostTable(runtime, facts);
    expect(result.origin).toBe('measured');
    expect(result.notes.join()).toMatch(/could not be kept/);
  });

  it('leaves a whole table or none when it is stopped half-way', async () => {
    const { runtime } = measurable();
    const { path, table } = await keptCostTable(runtime, facts);
    vi.spyOn(outputCalls, 'renameSync').mockImplementation(() => {
      throw Object.assign(new Error('killed'), { code: 'EIO' });
    });
    await keptCostTable(runtime, facts, { force: true });
    expect(readCostTable(await subjectOf(runtime)).table).toEqual(table);
    // Nothing is left of the attempt.
    expect(readdirSync(dirname(path))).toHaveLength(1);
  });

  it('warns of a busy machine', async () => {
    const { runtime, probe } = measurable();
    probe.mockImplementation(async () => ({ ...tableOf(runtime, '1.30.0', (us) => us), unrest: 0.4 }));
    expect((await keptCostTable(runtime, facts)).notes.join()).toMatch(/busy: times differ by 40 %/);
  });

  it('says when there is nothing to measure with', async () => {
    const { runtime } = measurable();
    const absent = {
      ...runtime,
      status: async () => ({ status: 'absent', reason: 'gone', hint: 'install it' }) as const,
    };
    await expect(keptCostTable(absent, facts)).rejects.toMatchObject({ code: 'E_BACKEND_MISSING', hint: 'install it' });
    const { probe, ...without } = runtime;
    await expect(keptCostTable(without, facts)).rejects.toMatchObject({ code: 'E_UNSUPPORTED_FEATURE' });
  });
});

describe('the place of a table', () => {
  it('is named after what it is of, and only that', async () => {
    const { runtime } = measurable();
    const subject = await subjectOf(runtime);
    expect(costTablePath(subject)).toBe(join(folder, 'probe', `${costTableKey(subject)}.json`));
    expect(costTableKey(subject)).toMatch(/^fake-1\.30\.0-p3-[0-9a-f]{8}$/);
    expect(costTableKey({ ...subject, runtime: { id: '../evil', version: '1' } })).not.toContain('/');
    expect(readCostTable(subject)).toEqual({ path: costTablePath(subject) });
    mkdirSync(costTablePath(subject), { recursive: true });
    expect(readCostTable(subject).problem).toBeDefined();
    expect(existsSync(costTablePath(subject))).toBe(true);
  });

  it.each([
    ['linux', { XDG_CACHE_HOME: '/x' }, join('/x', 'optimum')],
    ['linux', {}, /\.cache.optimum$/],
    ['darwin', {}, /Library.Caches.optimum$/],
    ['win32', { LOCALAPPDATA: 'L' }, join('L', 'optimum', 'Cache')],
    ['win32', { OPTIMUM_CACHE: 'own', LOCALAPPDATA: 'L' }, 'own'],
  ] as const)('on %s with %j', (platform, environment, expected) => {
    const found = cacheFolder(environment, platform);
    if (typeof expected === 'string') expect(found).toBe(expected);
    else expect(found).toMatch(expected);
  });
});
