import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openEnergyCounter } from './energy-counter.ts';
import { parseCoreList, readGrantedCores } from './granted-cores.ts';
import { watchBusyShare } from './machine-load.ts';

const folder = mkdtempSync(join(tmpdir(), 'optimum-machine-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;

/** A root with the files of a kernel. */
function machine(files: Readonly<Record<string, string>>): string {
  const root = join(folder, String(count++));
  mkdirSync(root);
  for (const [path, text] of Object.entries(files)) write(join(root, path), text);
  return root;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

describe('readGrantedCores', () => {
  const status = (list: string) => ({ 'proc/self/status': `Name:\tnode\nCpus_allowed_list:\t${list}\n` });

  it('without any file is what Node says', () => {
    expect(readGrantedCores(machine({}), 6)).toEqual({ cores: undefined, quota: undefined, granted: 6 });
  });

  it('is the affinity, whichever CPUs it names', () => {
    expect(readGrantedCores(machine(status('2-3,8')), 16)).toEqual({ cores: [2, 3, 8], quota: undefined, granted: 3 });
    expect(parseCoreList('5')).toEqual([5]);
  });

  it.each([
    ['half a CPU of version 2', { 'sys/fs/cgroup/cpu.max': '50000 100000\n' }, '0::/\n', 0.5],
    ['no quota', { 'sys/fs/cgroup/a/cpu.max': 'max 100000\n' }, '0::/a\n', undefined],
    [
      'the least of a group and those around it',
      { 'sys/fs/cgroup/a/b/cpu.max': 'max 100000\n', 'sys/fs/cgroup/a/cpu.max': '150000 100000\n' },
      '0::/a/b\n',
      1.5,
    ],
    ['a container that sees its own root', { 'sys/fs/cgroup/cpu.max': '200000 100000' }, '0::/docker/abc\n', 2],
    [
      'version 1',
      {
        'sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us': '25000\n',
        'sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us': '100000\n',
      },
      '5:memory:/x\n4:cpu,cpuacct:/x\n',
      0.25,
    ],
    [
      'version 1 without a quota',
      { 'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n', 'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n' },
      '4:cpu,cpuacct:/\n',
      undefined,
    ],
    ['what is no number', { 'sys/fs/cgroup/cpu.max': 'so many\n' }, '0::/\n', undefined],
  ])('%s', (_, files, cgroup, quota) => {
    const root = machine({ ...status('0-3'), ...files, 'proc/self/cgroup': cgroup });
    expect(readGrantedCores(root)).toEqual({ cores: [0, 1, 2, 3], quota, granted: quota ?? 4 });
  });
});

describe('openEnergyCounter', () => {
  const zone = 'sys/class/powercap/intel-rapl:0';

  it('is absent without counters, and where they cannot be read', () => {
    expect(openEnergyCounter(machine({}))).toBeUndefined();
    expect(openEnergyCounter(machine({ [`${zone}/name`]: 'package-0' }))).toBeUndefined();
    expect(
      openEnergyCounter(machine({ [`${zone}/energy_uj`]: 'x', [`${zone}/max_energy_range_uj`]: '9' })),
    ).toBeUndefined();
  });

  it('adds packages up, leaves their parts out, and goes on when a counter wraps around', () => {
    const root = machine({
      [`${zone}/energy_uj`]: '8000000',
      [`${zone}/max_energy_range_uj`]: '10000000',
      'sys/class/powercap/intel-rapl:1/energy_uj': '0',
      'sys/class/powercap/intel-rapl:1/max_energy_range_uj': '10000000',
      'sys/class/powercap/intel-rapl:0:0/energy_uj': '5',
    });
    const joules = openEnergyCounter(root);
    expect(joules?.()).toBe(0);
    write(join(root, zone, 'energy_uj'), '1000000\n');
    write(join(root, 'sys/class/powercap/intel-rapl:1/energy_uj'), '500000\n');
    expect(joules?.()).toBeCloseTo(3.5, 9);
    expect(joules?.()).toBeCloseTo(3.5, 9);
  });
});

describe('watchBusyShare', () => {
  it('is a part, and ends when it is aborted', async () => {
    const share = await watchBusyShare(30);
    expect(share).toBeGreaterThanOrEqual(0);
    expect(share).toBeLessThanOrEqual(1);
    await watchBusyShare(1e9, AbortSignal.abort());
  });
});
