import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { core, coreNode, onnxruntime, programFolder } from '../lib/packages.mjs';

const seed = 20_260_101;

/** The model with its checks, and inputs for it, as files. */
export async function writeJobs(path, folder) {
  const loaded = coreNode.loadModelSync(path);
  const made = core.makeInputs(loaded.model, { seed, variant: 1 });
  const subject = core.hasProductsBetweenIntegers(loaded.model) ? await fused(path, folder) : loaded;
  const { taps } = core.tapIntegerProducts(subject.model);
  const model = join(folder, 'tapped.onnx');
  writeFileSync(model, core.serializeModel(subject.model));
  for (const one of new Set([loaded, subject])) one.close();
  const encoded = Object.entries(made).map(([name, { elementType, dims, bytes }]) => [
    name,
    { elementType, dims, base64: Buffer.from(bytes).toString('base64') },
  ]);
  const jobs = join(folder, 'jobs.json');
  writeFileSync(jobs, JSON.stringify([{ model, taps, feeds: Object.fromEntries(encoded) }]));
  return jobs;
}

/** What the runtime makes of QuantizeLinear and DequantizeLinear around float operators. */
async function fused(path, folder) {
  const optimizedModelPath = join(folder, 'fused.onnx');
  const options = { optimization: 'extended', optimizedModelPath, from: programFolder };
  await (await onnxruntime.createSession({ path }, options)).close();
  return coreNode.loadModelSync(optimizedModelPath);
}
