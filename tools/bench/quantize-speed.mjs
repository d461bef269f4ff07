import { mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { interleave } from './lib/interleave.mjs';
import { residentMethod, runMeasured } from './lib/measured-process.mjs';
import { program } from './lib/packages.mjs';
import { formatSpread, ratiosOf, spreadOf } from './lib/statistics.mjs';
import { filesOfModel, generatedModel, warmCache, withMemoryFolder } from './lib/subjects.mjs';

/** Goals: wall time against `cp` by threads. */
const subjects = [
  { size: 'bert-base', limits: { 1: 2.2, 2: 1.8 } },
  { size: 'large', limits: { 1: 1.2, 2: 1.2 } },
];
const residentLimit = 100e6;

export async function run({ rounds, only, log }) {
  const results = [];
  for (const subject of subjects) {
    if (only && !only.some((text) => subject.size.includes(text))) continue;
    results.push(await measure(subject, rounds, log));
  }
  return {
    rounds,
    tables: [
      {
        columns: ['model', 'command', 'wall, median [min–max]', 'against cp', 'reach', 'peak memory'],
        rows: results.flatMap(({ rows }) => rows),
      },
    ],
    notes: [
      `The whole process is timed, input in the page cache, output on a memory file system and removed before each run; peak memory by ${residentMethod()}.`,
    ],
    failures: results.flatMap(({ failures }) => failures),
    data: results.map(({ size, samples }) => ({ size, samples })),
  };
}

async function measure({ size, limits }, rounds, log) {
  const input = await generatedModel(size, log);
  const samples = await withMemoryFolder((folder) => {
    const contestants = { cp: () => copy(input, folder) };
    for (const threads of Object.keys(limits)) contestants[threads] = () => quantize(input, folder, threads);
    warmCache(filesOfModel(input));
    return interleave(contestants, rounds, (line) => log(`${size}: ${line}`));
  });
  return { size, samples, ...judge(size, limits, samples) };
}

/** A place without an earlier result: overwriting pages that are there would be cheaper than a first run. */
function emptyPlace(folder) {
  const place = join(folder, 'output');
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place);
  return place;
}

const copy = (input, folder) => runMeasured('cp', [...filesOfModel(input), emptyPlace(folder)]);

function quantize(input, folder, threads) {
  const output = join(emptyPlace(folder), basename(input));
  const flags = ['--force', '--no-verify', '--quiet', '--threads', threads];
  return runMeasured(process.execPath, [program, 'quantize', input, '-o', output, ...flags]);
}

function judge(size, limits, samples) {
  const walls = (name) => samples[name].map(({ wallMs }) => wallMs);
  const peak = (name) => Math.max(...samples[name].map(({ residentBytes }) => residentBytes));
  const shown = (name) => formatSpread(spreadOf(walls(name)), 0, ' ms');
  const rows = [[size, 'cp', shown('cp'), '1', '', '']];
  const failures = [];
  for (const [threads, limit] of Object.entries(limits)) {
    const ratio = ratiosOf(walls(threads), walls('cp'));
    const command = `optimum quantize --threads ${threads}`;
    const resident = `${(peak(threads) / 1e6).toFixed(0)} MB`;
    rows.push([size, command, shown(threads), formatSpread(ratio, 2, '×'), `≤ ${limit}×`, resident]);
    if (ratio.median > limit)
      failures.push(`${size}: ${command} takes ${ratio.median.toFixed(2)}× of cp, above ${limit}×`);
    if (peak(threads) > residentLimit) failures.push(`${size}: ${command} needs ${resident}, above 100 MB`);
  }
  return { rows, failures };
}
