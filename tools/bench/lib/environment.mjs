import { loadavg } from 'node:os';
import { core, coreNode, onnxruntime, programFolder } from './packages.mjs';

/** Classes by which kernels and so figures differ, best first: what decides is the 8-bit dot product. */
const classes = ['avx512-vnni', 'avx-vnni', 'avx512', 'avx2', 'i8mm', 'dotprod', 'neon'];

/** Above this the machine is not quiet, and figures are not for the record. */
const quietLoad = 0.5;

/**
 * @typedef {object} Environment
 * @property {string} vendor
 * @property {string} modelName
 * @property {string} cpuClass
 * @property {number} threads
 * @property {string} node
 * @property {string} runtime
 * @property {string} date
 * @property {number} load one-minute load average before the run
 * @property {boolean} isQuiet
 */

/** What the figures of a run depend on. @returns {Promise<Environment>} */
export async function readEnvironment() {
  const facts = coreNode.readCpuFacts();
  const features = core.featuresOf(facts);
  const status = await onnxruntime.status(programFolder);
  const load = loadavg()[0];
  return {
    vendor: facts.vendor,
    modelName: facts.modelName,
    cpuClass: classes.find((name) => features.includes(name)) ?? facts.architecture,
    threads: facts.threads,
    node: process.version,
    runtime: status.status === 'found' ? `onnxruntime-node ${status.version}` : 'no runtime',
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    load,
    isQuiet: load <= quietLoad,
  };
}

/** One line that says where figures come from. */
export function describeEnvironment(environment, rounds) {
  const { vendor, modelName, cpuClass, threads, node, runtime, date, load, isQuiet } = environment;
  const parts = [
    `${vendor} ${modelName} (class ${cpuClass}, ${threads} CPUs)`,
    `Node ${node}`,
    runtime,
    `${date} UTC`,
    `load ${load.toFixed(2)} before the run${isQuiet ? '' : ', NOT QUIET: timings are not for the record'}`,
    ...(rounds ? [`${rounds} interleaved rounds`] : []),
  ];
  return `${parts.join('; ')}.`;
}
