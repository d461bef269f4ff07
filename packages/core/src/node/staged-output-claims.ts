import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { codeOf, outputCalls } from './file-sink.ts';

/**
 * A staging folder claims its output: its name says which process makes it, since when and on which machine. So a
 * second run sees the first one, and what a killed run left can be told from what a running one needs.
 */
export interface Claim {
  readonly folder: string;
  readonly pid: number;
  readonly since: Date;
  /** `elsewhere`: of another machine or container, whose processes cannot be seen from here. */
  readonly state: 'running' | 'dead' | 'elsewhere';
  /** Earlier claims come first. */
  readonly order: string;
  /** True for what a folder output moved aside while it took its place. */
  readonly isAside: boolean;
}

/** A claim of another machine counts as left behind after this time. */
const elsewhereMs = 24 * 3600 * 1000;

/** Longest file name in bytes of which the claim's name is made; names may have 255 bytes. */
const longestStem = 180;

export const asideSuffix = '-old';

let sequence = 0;

/** The folder that claims a target for this process from now on. */
export function claimFolder(target: string): string {
  const start = startOf(process.pid) ?? '0';
  const time = Date.now().toString(36).padStart(9, '0');
  // Claims of one process in one millisecond keep their order.
  const random = `${(sequence++ % 65_536).toString(16).padStart(4, '0')}${randomBytes(2).toString('hex')}`;
  return join(dirname(target), `${prefixOf(target)}${process.pid}-${start}-${place()}-${time}-${random}`);
}

/** Every claim on a target, the earliest first. Empty when its folder cannot be listed. */
export function claimsOn(target: string): Claim[] {
  const prefix = prefixOf(target);
  let names: string[];
  try {
    names = outputCalls.readdirSync(dirname(target));
  } catch {
    return [];
  }
  return names
    .filter((name) => name.startsWith(prefix))
    .flatMap((name) => parse(dirname(target), name, name.slice(prefix.length)))
    .sort((a, b) => (a.order < b.order ? -1 : 1));
}

function prefixOf(target: string): string {
  const name = basename(target);
  const isShort = Buffer.byteLength(name) <= longestStem;
  return `.${isShort ? name : createHash('sha256').update(name).digest('hex').slice(0, 16)}.tmp-`;
}

function parse(parent: string, name: string, claim: string): Claim[] {
  const fields = /^(\d+)-([0-9a-z]+)-([0-9a-f]{8})-([0-9a-z]{9})-([0-9a-f]{8})(-old)?$/.exec(claim);
  if (!fields) return [];
  const [, digits, start, where, time, random, aside] = fields;
  const pid = Number(digits);
  const since = Number.parseInt(time as string, 36);
  const isHere = where === place();
  const isElsewhere = !isHere && Date.now() - since < elsewhereMs;
  const state = isElsewhere ? 'elsewhere' : isHere && isRunning(pid, start as string) ? 'running' : 'dead';
  const order = `${time}-${(digits as string).padStart(12, '0')}-${random}`;
  return [{ folder: join(parent, name), pid, since: new Date(since), state, order, isAside: aside !== undefined }];
}

/** True while the process that is meant lives: a later one with the same number has another start. */
function isRunning(pid: number, start: string): boolean {
  const now = startOf(pid);
  if (now !== undefined && start !== '0') return now === start;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** When a process started, in ticks since the machine did; Linux only. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in brackets, and may hold anything.
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return ticks && Number(ticks).toString(36);
  } catch {
    return undefined;
  }
}

let known: string | undefined;

/** Where process numbers mean the same: machine, boot and process namespace (each container has its own). */
function place(): string {
  known ??= createHash('sha256')
    .update([hostname(), textOf('/proc/sys/kernel/random/boot_id'), namespace()].join('\n'))
    .digest('hex')
    .slice(0, 8);
  return known;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

function namespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}
