// Loads a model, runs it once and writes its outputs. Started under an emulator, which cannot start children of its own,
// so the runtime is loaded right here.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

process.env.ORT_DISABLE_TELEMETRY = '1';

const [modulePath, jobPath, resultPath] = process.argv.slice(2);
const ort = createRequire(modulePath)(modulePath);
const arrays = { int64: BigInt64Array, float32: Float32Array, uint8: Uint8Array, bool: Uint8Array };

const { model, feeds, options } = JSON.parse(readFileSync(jobPath, 'utf8'));
const session = await ort.InferenceSession.create(model, options);
const inputs = Object.fromEntries(
  Object.entries(feeds).map(([name, { elementType, dims, base64 }]) => {
    const bytes = new Uint8Array(Buffer.from(base64, 'base64'));
    return [name, new ort.Tensor(elementType, new arrays[elementType](bytes.buffer), dims)];
  }),
);
const outputs = Object.entries(await session.run(inputs)).map(([name, { type, dims, data }]) => [
  name,
  { elementType: type, dims, base64: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64') },
]);
writeFileSync(resultPath, JSON.stringify(Object.fromEntries(outputs)));
