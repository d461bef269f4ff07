import { cpus } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { core, coreNode, onnxruntime, programFolder } from './packages.mjs';

/** Classes by which kernels and so figures differ, best first: what decides is the 8-bit dot product. */
const classes = ['avx512-vnni', 'avx-vnni', 'avx512', 'avx2', 'i8mm', 'dotprod', 'neon'];

/** Busier than this the machine is not quiet, and figures are not for the record. */
const quietShare = 0.1;
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
  const features = core.featuresOf(facts);
  const status = await onnxruntime.status(programFolder);
  const busy = await busyShare();
  return {
    vendor: facts.vendor,
    modelName: facts.modelName,
    cpuClass: classes.find((name) => features.includes(name)) ?? facts.architecture,
    threads: facts.threads,
    node: process.version,
    runtime: status.status === 'found' ? `onnxruntime-node ${status.version}` : 'no runtime',
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    busy,
    isQuiet: busy <= quietShare,
  };
}

/** Watched, and not the load average: that still counts the benchmark that ran before. */
async function busyShare() {
  const before = processorTimes();
  await wait(watchedMs);
  const after = processorTimes();
  return (after.busy - before.busy) / Math.max(1, after.all - before.all);
}

function processorTimes() {
  let [busy, all] = [0, 0];
  for (const { times } of cpus()) {
    const sum = Object.values(times).reduce((total, ms) => total + ms, 0);
    all += sum;
    busy += sum - times.idle;
  }
  return { busy, all };
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
