import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

/** Processors that this process may use. */
export interface GrantedCores {
  /** Numbers of the logical CPUs of its affinity; `undefined` where the system does not tell. */
  readonly cores?: readonly number[] | undefined;
  /** CPUs' worth of time that the control group allows, 0.5 for half of one; `undefined` without a quota. */
  readonly quota?: number | undefined;
  /** The lesser of both. */
  readonly granted: number;
}

/**
 * What affinity and control groups (version 1 and 2) leave to this process. Threads beyond it only get into each other's
 * way. Never throws.
 * @param root where the file systems of the kernel are, for tests
 */
export function readGrantedCores(root = '/', parallelism = availableParallelism()): GrantedCores {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(textOf(join(root, 'proc/self/status')))?.[1];
  const cores = list === undefined ? undefined : parseCoreList(list);
  const quota = quotaOf(root);
  return { cores, quota, granted: Math.min(cores?.length ?? parallelism, quota ?? Number.POSITIVE_INFINITY) };
}

/** `0-2,8` as numbers. @source linux Documentation/admin-guide/cputopology.rst */
export function parseCoreList(list: string): number[] {
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** The least quota of the process's groups and of those around them. */
function quotaOf(root: string): number | undefined {
  const quotas = textOf(join(root, 'proc/self/cgroup'))
    .split('\n')
    .flatMap((line) => {
      const [, controllers, path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
      if (controllers === undefined) return [];
      if (controllers === '') return foldersUp(path).map((folder) => quotaV2(join(root, 'sys/fs/cgroup', folder)));
      if (!controllers.split(',').includes('cpu')) return [];
      const mounts = [controllers, 'cpu'].map((name) => join(root, 'sys/fs/cgroup', name));
      return foldersUp(path).flatMap((folder) => mounts.map((mount) => quotaV1(join(mount, folder))));
    })
    .filter((quota) => quota !== undefined);
  return quotas.length > 0 ? Math.min(...quotas) : undefined;
}

/** A path and all above it; in a container its own root may be mounted in place of what the path says. */
function foldersUp(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '..');
  return Array.from({ length: parts.length + 1 }, (_, index) => parts.slice(0, parts.length - index).join('/'));
}

/** @source linux Documentation/admin-guide/cgroup-v2.rst, cpu.max */
function quotaV2(folder: string): number | undefined {
  const [quota, period] = textOf(join(folder, 'cpu.max')).trim().split(/\s+/).map(Number);
  return share(quota, period);
}

/** @source linux Documentation/scheduler/sched-bwc.rst; without a quota it is -1 */
const quotaV1 = (folder: string): number | undefined =>
  share(Number(textOf(join(folder, 'cpu.cfs_quota_us'))), Number(textOf(join(folder, 'cpu.cfs_period_us'))));

const share = (quota = 0, period = 0): number | undefined => (quota > 0 && period > 0 ? quota / period : undefined);

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
