import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const pollMs = 20;

/**
 * Runs a program to its end. Its peak memory is the largest sum of what it and all its descendants had resident at one
 * moment: a program that works in a child process must not look lean for it. Shared pages count once for each process.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: Record<string, string> }} [options]
 * @returns {Promise<import('./measured-process.mjs').ProcessSample>} @throws when the program fails, with what it said
 */
export async function runMeasuredTree(command, args, options = {}) {
  const start = performance.now();
  const child = spawn(command, args, { env: { ...process.env, ...options.env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let residentBytes = 0;
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const timer = setInterval(() => {
    residentBytes = Math.max(residentBytes, residentOfTree(child.pid));
  }, pollMs);
  const code = await new Promise((resolve) => child.on('close', resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} left with ${code}: ${stderr.slice(-2000)}`);
  return { wallMs: performance.now() - start, residentBytes, stdout };
}

function residentOfTree(root) {
  const statuses = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap(statusOf);
  const members = new Set([root]);
  // Parents have lower numbers than their children but for a wrap; a second pass would find those.
  for (const { pid, parent } of statuses) if (members.has(parent)) members.add(pid);
  return statuses.filter(({ pid }) => members.has(pid)).reduce((sum, { bytes }) => sum + bytes, 0);
}

function statusOf(name) {
  try {
    const status = readFileSync(`/proc/${name}/status`, 'utf8');
    const field = (key) => Number(new RegExp(`^${key}:\\s*(\\d+)`, 'm').exec(status)?.[1] ?? 0);
    return [{ pid: Number(name), parent: field('PPid'), bytes: field('VmRSS') * 1024 }];
  } catch {
    return [];
  }
}
