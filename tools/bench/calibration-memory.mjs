import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { interleave } from './lib/interleave.mjs';
import { runMeasuredTree } from './lib/measured-tree.mjs';
import { program } from './lib/packages.mjs';
import { formatSpread, ratiosOf, spreadOf } from './lib/statistics.mjs';
import { withMemoryFolder, zooFolder } from './lib/subjects.mjs';

const counts = [10, 1000, 10_000];
const [few] = counts;
/** Peak memory of many samples against that of few. */
const limit = 1.1;

/** Calibration of a small model on texts: peak memory of all processes together, by the number of samples. */
export async function run({ rounds, log }) {
  const model = join(zooFolder(), 'own/reviews-bert-256');
  const texts = textsOfAllLengths(join(model, 'train.tsv'), few);
  return withMemoryFolder(async (folder) => {
    const contestants = Object.fromEntries(
      counts.map((count) => [count, () => calibrate(model, texts, count, folder)]),
    );
    const samples = await interleave(contestants, rounds, log);
    const results = counts.map((count) => resultOf(count, samples));
    return {
      rounds,
      tables: [
        {
          columns: ['samples', 'peak memory', `against ${few} samples`, 'a sample takes'],
          rows: results.map(({ row }) => row),
        },
      ],
      notes: [
        `reviews-bert-256 of the zoo, percentile, one thread. The texts are the same ${few} over and over, short ones and the longest, so that only the number of samples differs. Peak memory is the largest sum over all processes of the command at one moment.`,
      ],
      failures: results.flatMap(({ failures }) => failures),
      data: samples,
    };
  });
}

/** The shortest text, the longest, and some between. */
function textsOfAllLengths(path, count) {
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  const texts = lines.map((line) => line.split('\t')[0]).sort((a, b) => a.length - b.length);
  return Array.from({ length: count }, (_, index) => texts[Math.round((index * (texts.length - 1)) / (count - 1))]);
}

async function calibrate(model, texts, count, folder) {
  const place = join(folder, 'calibration');
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place);
  const data = join(place, 'texts.txt');
  const output = join(place, 'statistics.json');
  writeFileSync(data, Array.from({ length: count }, (_, index) => `${texts[index % texts.length]}\n`).join(''));
  const flags = ['--data', data, '--samples', String(count), '-o', output, '--json'];
  const sample = await runMeasuredTree(process.execPath, [program, 'calibrate', model, ...flags]);
  const [session] = JSON.parse(sample.stdout).sessions;
  if (session.samples !== count) throw new Error(`${session.samples} samples were calibrated, not ${count}`);
  return { residentBytes: sample.residentBytes, sampleMs: session.collectMs / count };
}

function resultOf(count, samples) {
  const resident = (of) => samples[of].map(({ residentBytes }) => residentBytes);
  const ratio = ratiosOf(resident(count), resident(few));
  const megabytes = spreadOf(resident(count).map((bytes) => bytes / 1e6));
  const times = spreadOf(samples[count].map(({ sampleMs }) => sampleMs));
  return {
    row: [String(count), formatSpread(megabytes, 0, ' MB'), formatSpread(ratio, 2, '×'), formatSpread(times, 1, ' ms')],
    failures:
      ratio.median > limit
        ? [`${count} samples take ${ratio.median.toFixed(2)}× the memory of ${few}, above ${limit}×`]
        : [],
  };
}
