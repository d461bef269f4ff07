// The long run: FUZZ_N mutants (1,000,000) of FUZZ_SEED in child processes with a watch on time and memory, so that a
// crash, a hang or a leak is seen and its mutant kept. Stops after FUZZ_MINUTES if given. Then FUZZ_RUNS random graphs
// (1,000) are quantized statically and run. What broke goes to artifacts/fuzz/<seed>-<ordinal>.onnx and
// artifacts/fuzz/static-graphs.log; exit code 1 when anything did.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { env } from 'node:process';
import { fileURLToPath } from 'node:url';
import { build } from 'tsup';
import { fuzzStaticGraphs } from './static-graphs.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const artifacts = join(root, 'artifacts/fuzz');
const seed = Number(env.FUZZ_SEED ?? 1);
const total = Number(env.FUZZ_N ?? 1_000_000);
const staticRuns = Number(env.FUZZ_RUNS ?? 1000);
const deadline = Date.now() + Number(env.FUZZ_MINUTES ?? 24 * 60) * 60_000;
const sliceSize = 10_000;
const longestSliceMs = 600_000;
const mostMegabytes = 512;

const summary = { seed, mutants: 0, accepted: 0, refused: {}, broken: [], died: [], slowest: {}, residentMegabytes: 0 };

async function bundle() {
  await build({
    entry: [join(root, 'tools/fuzz/worker.ts')],
    outDir: artifacts,
    format: 'esm',
    target: 'node20',
    platform: 'node',
    silent: true,
    config: false,
    noExternal: [/^@optimum\//],
    outExtension: () => ({ js: '.mjs' }),
    esbuildOptions: (options) => {
      options.conditions = ['@optimum/source'];
    },
  });
  return join(artifacts, 'worker.mjs');
}

/** Runs one slice; resolves to its report, or to how it died. */
function runSlice(worker, first, count, mark) {
  return new Promise((resolve) => {
    const args = [`--max-old-space-size=${mostMegabytes}`, worker, seed, first, count, ...(mark ? [mark] : [])];
    const child = spawn(process.execPath, args.map(String), { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let log = '';
    child.stdout.on('data', (piece) => (out += piece));
    child.stderr.on('data', (piece) => (log = (log + piece).slice(-2000)));
    const timer = setTimeout(() => child.kill('SIGKILL'), longestSliceMs);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve(code === 0 ? { report: JSON.parse(out) } : { died: `${signal ?? `exit ${code}`} ${log}` });
    });
  });
}

/** A slice that died is run again with its mutants marked, which is slower, to learn which one it was. */
async function findKiller(worker, first, count) {
  const mark = join(artifacts, `at-${first}`);
  const { died } = await runSlice(worker, first, count, mark);
  const ordinal = died ? Number(readFileSync(mark, 'utf8')) : undefined;
  summary.died.push({ first, ordinal, how: died ?? 'not again' });
}

function add(report) {
  summary.mutants += report.count;
  summary.accepted += report.accepted;
  for (const [code, count] of Object.entries(report.refused))
    summary.refused[code] = (summary.refused[code] ?? 0) + count;
  if (report.slowest.milliseconds > (summary.slowest.milliseconds ?? 0)) summary.slowest = report.slowest;
  summary.residentMegabytes = Math.max(summary.residentMegabytes, report.residentMegabytes);
  for (const { ordinal, from, what, bytes } of report.failures) {
    writeFileSync(join(artifacts, `${seed}-${ordinal}.onnx`), Buffer.from(bytes, 'base64'));
    summary.broken.push({ ordinal, from, what });
  }
}

mkdirSync(artifacts, { recursive: true });
const worker = await bundle();
let next = 0;
const started = Date.now();

async function lane() {
  while (next < total && Date.now() < deadline) {
    const first = next;
    const count = Math.min(sliceSize, total - first);
    next += count;
    const { report, died } = await runSlice(worker, first, count);
    if (died) await findKiller(worker, first, count);
    else add(report);
    console.error(`${summary.mutants} mutants, ${summary.broken.length} broken, ${summary.died.length} died`);
  }
}

await Promise.all(Array.from({ length: Number(env.FUZZ_LANES ?? availableParallelism()) }, lane));
const seconds = (Date.now() - started) / 1000;
console.error(`${staticRuns} random graphs`);
const staticGraphs = await fuzzStaticGraphs({ runs: staticRuns, log: join(artifacts, 'static-graphs.log') });
const result = { ...summary, seconds, perSecond: Math.round(summary.mutants / seconds), staticGraphs };
writeFileSync(join(artifacts, 'nightly.json'), JSON.stringify(result, null, 2));
console.log(JSON.stringify({ ...result, broken: summary.broken.length, died: summary.died }, null, 2));
const isOverMemory = summary.residentMegabytes > mostMegabytes;
const isBroken = summary.broken.length + summary.died.length > 0 || isOverMemory || !staticGraphs.isRight;
process.exit(isBroken ? 1 : 0);
