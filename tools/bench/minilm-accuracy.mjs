import { join } from 'node:path';
import { runMeasured } from './lib/measured-process.mjs';
import { program } from './lib/packages.mjs';
import { withMemoryFolder, zooFolder } from './lib/subjects.mjs';
import { writeOutlierVariant } from './minilm/outlier-variant.mjs';
import { loadTokenizer, readPairs, scoreModel } from './minilm/sts-benchmark.mjs';

/** `undefined` is this machine. */
const targets = [undefined, 'portable', 'skylake-sp'];
const outlierSeeds = [1, 2, 3];
const outlierPairs = 500;
const tolerance = 0.005;

export async function run({ only, log }) {
  const folder = join(zooFolder(), 'models/minilm');
  const original = join(folder, 'onnx/model.onnx');
  const pairs = readPairs(join(zooFolder(), 'data/stsb-en-dev.csv'));
  const tokenizer = loadTokenizer(folder);
  const sets = [{ name: 'all-MiniLM-L6-v2', pairs }, ...outlierSeeds.map((seed) => outlierSet(seed, pairs))].filter(
    ({ name }) => !only || only.some((text) => name.includes(text)),
  );
  const results = [];
  for (const set of sets) {
    log(set.name);
    results.push(await withMemoryFolder((scratch) => scoreSet(set, original, scratch, tokenizer, log)));
  }
  return {
    tables: [
      {
        columns: ['model', 'pairs', 'float32', ...targets.map((target) => `int8, ${target ?? 'this machine'}`)],
        rows: results.map(({ name, count, float32, int8 }) => [
          name,
          String(count),
          ...[float32, ...int8].map((score) => score.toFixed(4)),
        ]),
      },
    ],
    notes: [
      `Spearman on the STS-B English dev set: batch 1, mean pooling, cosine; recipe latency; outlier variants compute the same function with six channels 300 times as large (layers 1 and 4), channels chosen by seed. Reach: within ${tolerance} of float32.`,
    ],
    failures: results.flatMap(failuresOf),
    data: results,
  };
}

const outlierSet = (seed, pairs) => ({ name: `outliers, seed ${seed}`, seed, pairs: pairs.slice(0, outlierPairs) });

async function scoreSet({ name, seed, pairs }, original, scratch, tokenizer, log) {
  const model = seed === undefined ? original : join(scratch, 'outliers.onnx');
  const planted = seed === undefined ? undefined : await writeOutlierVariant(original, model, seed);
  const float32 = await scoreModel(model, tokenizer, pairs);
  const int8 = [];
  for (const target of targets) {
    log(`${name}: ${target ?? 'this machine'}`);
    const output = join(scratch, 'int8.onnx');
    const flags = ['--force', '--no-verify', '--quiet', ...(target ? ['--target', target] : [])];
    await runMeasured(process.execPath, [program, 'quantize', model, '-o', output, ...flags]);
    int8.push(await scoreModel(output, tokenizer, pairs));
  }
  return { name, count: pairs.length, planted, float32, int8 };
}

function failuresOf({ name, float32, int8 }) {
  return targets.flatMap((target, index) =>
    float32 - int8[index] > tolerance
      ? [`${name}, ${target ?? 'this machine'}: ${int8[index].toFixed(4)} against ${float32.toFixed(4)}`]
      : [],
  );
}
