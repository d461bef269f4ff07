// Makes a seeded BERT encoder: node tools/bench/generate-model.mjs bert-base -o PATH.onnx [--seed N]
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { coreNode } from './lib/packages.mjs';
import { bertModel } from './model/bert-graph.mjs';
import { sizes } from './model/sizes.mjs';

export const defaultSeed = 20_260_101;

/**
 * Writes the model; weights stream, so that memory stays small. Same size and seed, same bytes.
 *
 * @param {string} sizeName a key of `sizes`
 * @param {string} path `.onnx`; external data lies beside it as `<name>.onnx_data`
 * @param {number} [seed]
 * @returns {Promise<{ files: readonly string[], byteLength: number }>}
 */
export async function generateModel(sizeName, path, seed = defaultSeed) {
  const size = sizes[sizeName];
  if (!size) throw new Error(`There is no size "${sizeName}"; there are ${Object.keys(sizes).join(', ')}.`);
  const externalData = size.externalData ? 'always' : 'never';
  return coreNode.saveModel(bertModel(size, seed), path, { externalData, force: true });
}

async function main() {
  const options = { output: { type: 'string', short: 'o' }, seed: { type: 'string' } };
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const [size] = positionals;
  if (!size || !values.output)
    throw new Error(`usage: generate-model.mjs ${Object.keys(sizes).join('|')} -o PATH.onnx`);
  const start = performance.now();
  const written = await generateModel(size, values.output, values.seed ? Number(values.seed) : defaultSeed);
  const seconds = (performance.now() - start) / 1000;
  const resident = process.resourceUsage().maxRSS / 1024;
  console.log(
    `${written.files.join(', ')}: ${(written.byteLength / 1e6).toFixed(1)} MB in ${seconds.toFixed(1)} s, peak ${resident.toFixed(0)} MB`,
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
