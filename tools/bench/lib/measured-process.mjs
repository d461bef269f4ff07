import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const gnuTime = '/usr/bin/time';
const pollMs = 4;

/** @typedef {{ wallMs: number, residentBytes: number, stdout: string }} ProcessSample */

let hasTime;

/** GNU time reads the kernel's own peak of the child (wait4), which no sampling can miss. */
function hasGnuTime() {
  hasTime ??= existsSync(gnuTime) && /GNU/.test(String(spawnSync(gnuTime, ['--version']).output));
  return hasTime;
}

/** How peak memory is read here, for reports. */
export const residentMethod = () => (hasGnuTime() ? 'wait4 by GNU time' : 'VmHWM of /proc, polled');

/**
 * Runs a program to its end; wall time is that of the whole process. On Linux a process keeps the peak of the one
 * that it was forked from until exec, so the peak is never read from a direct child of this (large) process by wait4.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: Record<string, string>, cwd?: string }} [options]
 * @returns {Promise<ProcessSample>} @throws when the program fails, with what it said
 */
export async function runMeasured(command, args, options = {}) {
  if (!hasGnuTime()) return runPolled(command, args, options);
  const scratch = mkdtempSync(join(tmpdir(), 'optimum-bench-time-'));
  try {
    const report = join(scratch, 'time');
    const sample = await runToEnd(gnuTime, ['-f', '%M', '-o', report, command, ...args], options);
    const kilobytes = Number(readFileSync(report, 'utf8').trim().split('\n').at(-1));
    return { ...sample, residentBytes: kilobytes * 1024 };
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

async function runPolled(command, args, options) {
  let residentBytes = 0;
  const sample = await runToEnd(command, args, options, (pid) => {
    const timer = setInterval(() => {
      residentBytes = Math.max(residentBytes, peakOf(pid));
    }, pollMs);
    return () => clearInterval(timer);
  });
  return { ...sample, residentBytes };
}

/** The peak of a process that still runs; it only ever grows, so the last reading is nearly the final one. */
function peakOf(pid) {
  try {
    const match = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return match ? Number(match[1]) * 1024 : 0;
  } catch {
    return 0;
  }
}

function runToEnd(command, args, { env, cwd }, watch) {
  return new Promise((resolve, reject) => {
    const start = process.hrtime.bigint();
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ORT_DISABLE_TELEMETRY: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const unwatch = watch?.(child.pid);
    let wallMs = 0;
    const text = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr']) child[stream].on('data', (chunk) => (text[stream] += chunk));
    child.on('error', reject);
    child.on('exit', () => {
      wallMs = Number(process.hrtime.bigint() - start) / 1e6;
      unwatch?.();
    });
    child.on('close', (code) => {
      if (code === 0) resolve({ wallMs, stdout: text.stdout });
      else
        reject(
          Object.assign(new Error(`${[command, ...args].join(' ')}: exit ${code}\n${text.stderr}`), { code, ...text }),
        );
    });
  });
}
