// Runs tapped models in this process and prints how many integer outputs of each, and of each of its layers, differ from
// exact arithmetic, and the bytes and dims of outputs that are asked for. Started under an emulator, which cannot start children of its own, so the runtime
// is loaded right here.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

process.env.ORT_DISABLE_TELEMETRY = '1';

const [modulePath, jobsPath] = process.argv.slice(2);
const ort = createRequire(modulePath)(modulePath);
const arrays = { int64: BigInt64Array, float32: Float32Array, bool: Uint8Array, uint8: Uint8Array };

const toTensor = ({ elementType, dims, base64 }) => {
  const bytes = new Uint8Array(Buffer.from(base64, 'base64'));
  return new ort.Tensor(elementType, new arrays[elementType](bytes.buffer), dims);
};

/** @param {{ model: string, taps: readonly object[], feeds: object, fetch?: readonly string[] }} job */
async function run({ model, taps, feeds, fetch = [] }) {
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1, graphOptimizationLevel: 'disabled' };
  const session = await ort.InferenceSession.create(model, options);
  const inputs = Object.fromEntries(Object.entries(feeds).map(([name, feed]) => [name, toTensor(feed)]));
  const scalars = taps.flatMap((tap) => [tap.wrong, tap.outputs]);
  const results = await session.run(inputs, [...scalars, ...fetch]);
  await session.release();
  const scalar = (name) => results[name].data[0];
  const layers = taps.map(({ node, wrong, outputs }) => ({ node, wrong: scalar(wrong), outputs: scalar(outputs) }));
  const sumOf = (what) => layers.reduce((sum, layer) => sum + layer[what], 0);
  const fetched = (read) => Object.fromEntries(fetch.map((name) => [name, read(results[name])]));
  return {
    wrong: sumOf('wrong'),
    outputs: sumOf('outputs'),
    layers,
    fetched: fetched(({ data }) => Buffer.from(data.buffer).toString('base64')),
    dims: fetched(({ dims }) => dims),
  };
}

const results = [];
for (const job of JSON.parse(readFileSync(jobsPath, 'utf8'))) results.push(await run(job));
console.log(JSON.stringify(results));
