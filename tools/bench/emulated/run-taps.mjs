// Runs a tapped model in this process and prints how many integer outputs differ from exact arithmetic. Started under
// an emulator, which cannot start children of its own, so the runtime is loaded right here.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

process.env.ORT_DISABLE_TELEMETRY = '1';

const [modulePath, modelPath, feedsPath] = process.argv.slice(2);
const ort = createRequire(modulePath)(modulePath);
const arrays = { int64: BigInt64Array, float32: Float32Array, bool: Uint8Array };
const { feeds, taps } = JSON.parse(readFileSync(feedsPath, 'utf8'));

const toTensor = ({ elementType, dims, base64 }) => {
  const bytes = new Uint8Array(Buffer.from(base64, 'base64'));
  return new ort.Tensor(elementType, new arrays[elementType](bytes.buffer), dims);
};

const options = { intraOpNumThreads: 1, interOpNumThreads: 1, graphOptimizationLevel: 'disabled' };
const session = await ort.InferenceSession.create(modelPath, options);
const inputs = Object.fromEntries(Object.entries(feeds).map(([name, feed]) => [name, toTensor(feed)]));
const results = await session.run(inputs);
const sumOf = (what) => taps.reduce((sum, tap) => sum + results[tap[what]].data[0], 0);
console.log(JSON.stringify({ wrong: sumOf('wrong'), outputs: sumOf('outputs') }));
