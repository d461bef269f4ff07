import { coreNode, onnxruntime, programFolder } from './packages.mjs';

const watchedMs = 2000;

/**
 * @typedef {object} Environment
 * @property {string} vendor
 * @property {string} modelName
 * @property {string} cpuClass
 * @property {number} threads
 * @property {string} node
 * @property {string} runtime
 * @property {string} date
 * @property {number} busy share of all processors that was busy in the seconds before the run
 * @property {boolean} isQuiet
 */

/** What the figures of a run depend on. @returns {Promise<Environment>} */
export async function readEnvironment() {
  const facts = coreNode.readCpuFacts();
  const status = await onnxruntime.status(programFolder);
  const busy = await coreNode.watchBusyShare(watchedMs);
  return {
    vendor: facts.vendor,
    modelName: facts.modelName,
    cpuClass: coreNode.cpuClassOf(facts),
    threads: facts.threads,
    node: process.version,
    runtime: status.status === 'found' ? `onnxruntime-node ${status.version}` : 'no runtime',
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    busy,
    isQuiet: busy <= coreNode.quietShare,
  };
}

/** One line that says where figures come from. */
export function describeEnvironment(environment, rounds) {
  const { vendor, modelName, cpuClass, threads, node, runtime, date, busy, isQuiet } = environment;
  const parts = [
    `${vendor} ${modelName} (class ${cpuClass}, ${threads} CPUs)`,
    `Node ${node}`,
    runtime,
    `${date} UTC`,
    `${(100 * busy).toFixed(0)} % busy before the run${isQuiet ? '' : ', NOT QUIET: timings are not for the record'}`,
    ...(rounds ? [`${rounds} interleaved rounds`] : []),
  ];
  return `${parts.join('; ')}.`;
}
