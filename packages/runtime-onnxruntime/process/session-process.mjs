// One ONNX Runtime session in a process of its own: the runtime can abort, hang or grow, and only this process pays.
// Plain JavaScript, shipped as it is, so that it starts the same from the sources and from the build.
// Telemetry must be off before the library loads.
process.env.ORT_DISABLE_TELEMETRY = '1';

import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ObserverThread } from './observer-thread.mjs';
import { operatorTimes } from './operator-times.mjs';
import { fetchSeen } from './taps.mjs';

let ort;
let session;
let observer;

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
};

/** @param {{ modulePath: string, model: string | Uint8Array, options: object }} request */
async function create({ modulePath, model, options }) {
  ort = loadLibrary(modulePath);
  const start = process.hrtime.bigint();
  session = await ort.InferenceSession.create(model, options);
  const loadMs = Number(process.hrtime.bigint() - start) / 1e6;
  return { loadMs, inputs: session.inputMetadata.map(signature), outputs: session.outputMetadata.map(signature) };
}

/** A library that does not load is another fault than a model that does not. */
function loadLibrary(modulePath) {
  try {
    return createRequire(modulePath)(modulePath);
  } catch (error) {
    throw Object.assign(new Error(String(error?.message ?? error)), { kind: 'library' });
  }
}

const signature = ({ name, isTensor, type, shape }) => ({
  name,
  elementType: isTensor ? type : undefined,
  shape: isTensor ? shape?.map((dim) => (dim === '' || dim === -1 ? null : dim)) : undefined,
});

function toTensor({ elementType, dims, bytes, strings }) {
  if (elementType === 'string') return new ort.Tensor('string', strings, dims);
  const ArrayType = arrays[elementType];
  // IPC gives views of any alignment into shared memory; typed arrays want their own.
  const data = new ArrayType(Uint8Array.from(bytes).buffer);
  // ort.Tensor refuses Uint16Array for float16 where the engine has Float16Array; a plain object works everywhere.
  if (elementType === 'float16') return { type: 'float16', data, dims, location: 'cpu', size: data.length };
  return new ort.Tensor(elementType, data, dims);
}

function fromTensor(tensor) {
  const { type, dims, data } = tensor;
  if (type === 'string') return { elementType: type, dims, bytes: new Uint8Array(), strings: data };
  return { elementType: type, dims, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

const toFeeds = (feeds) => Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, toTensor(tensor)]));

async function run({ feeds, outputs }) {
  const results = await session.run(toFeeds(feeds), outputs);
  return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, fromTensor(tensor)]));
}

async function time({ feeds, outputs, repetitions }) {
  const tensors = toFeeds(feeds);
  const latencies = [];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const start = process.hrtime.bigint();
    await session.run(tensors, outputs);
    latencies.push(Number(process.hrtime.bigint() - start) / 1e6);
  }
  return latencies;
}

/** @param {{ feeds: object, taps: readonly object[], sample: number }} request */
async function observe({ feeds, taps, sample }) {
  observer ??= new ObserverThread();
  const tensors = toFeeds(feeds);
  const seen = await fetchSeen((outputs) => session.run(tensors, outputs), taps);
  await observer.add({ seen, sample });
}

/** Runs before those that a profile counts: the first ones allocate. */
const warmUpRuns = 2;

/** @param {{ feeds: object, outputs: readonly string[], repetitions: number, folder: string }} request */
async function profile({ feeds, outputs, repetitions, folder }) {
  await time({ feeds, outputs, repetitions: warmUpRuns + repetitions });
  session.endProfiling();
  const [file] = readdirSync(folder);
  return operatorTimes(JSON.parse(readFileSync(join(folder, file), 'utf8')), repetitions);
}

const methods = {
  create,
  run,
  time,
  profile,
  observe,
  observations: async () => (await observer?.observations()) ?? {},
  sampledRows: async () => (await observer?.sampledRows()) ?? {},
  residentBytes: () => process.memoryUsage.rss(),
};

process.on('message', async ({ id, method, parameters }) => {
  try {
    process.send({ id, result: await methods[method](parameters) });
  } catch (error) {
    process.send({ id, error: String(error?.message ?? error), kind: error?.kind ?? 'runtime' });
  }
});

// A run blocks this thread, so this comes after it: the runtime aborts when it is torn down in the middle of one.
process.on('disconnect', () => process.exit(0));

// A run may never end, and then the above never comes: this thread sees that the parent is gone, and ends the process.
new Worker(new URL('./watchdog.mjs', import.meta.url), {
  workerData: process.ppid,
  resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1 },
}).unref();
