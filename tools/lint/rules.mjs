import { builtinModules } from 'node:module';
import { posix } from 'node:path';

/** Core's rooms: each imports only from rooms before it; rooms in one list are siblings that do not know each other. */
const rooms = [
  ['foundation'],
  ['ir'],
  ['onnx', 'text'],
  ['analysis'],
  ['rewrite'],
  ['passes'],
  ['kernels'],
  ['observe'],
  ['plan'],
  ['backend'],
  ['calibrate'],
  ['quantize'],
  ['evaluate'],
  ['tune'],
  ['config'],
  ['pipeline'],
  ['node'],
];
const rank = new Map(rooms.flatMap((names, index) => names.map((name) => [name, index])));

/** Which packages of the workspace a package may import. */
const mayImport = {
  core: [],
  'runtime-onnxruntime': ['core'],
  'backend-cpu': ['core', 'runtime-onnxruntime'],
  'backend-intel-xeon': ['core', 'runtime-onnxruntime'],
  'backend-amd-epyc': ['core', 'runtime-onnxruntime'],
  'backend-arm-neoverse': ['core', 'runtime-onnxruntime'],
  'backend-testkit': ['core'],
  data: ['core'],
  report: ['core'],
  cli: ['core', 'data', 'report', 'hub', 'exporter'],
};

const isTest = (file) => /\.test\.ts$/.test(file);
const builtins = new Set(builtinModules);

/** What is wrong with an import, or `undefined`. */
export function checkImport(file, specifier) {
  const room = /^packages\/core\/src\/([\w-]+)\//.exec(file)?.[1];
  if (room && !isTest(file)) {
    const isNode = specifier.startsWith('node:') || builtins.has(specifier.split('/')[0]);
    if (isNode && room !== 'node') return `imports "${specifier}": only core/src/node may use Node`;
    const problem = roomProblem(file, room, specifier);
    if (problem) return problem;
  }
  return packageProblem(file, specifier);
}

function roomProblem(file, room, specifier) {
  if (!specifier.startsWith('.')) return undefined;
  const target = /^packages\/core\/src\/([\w-]+)\//.exec(posix.join(posix.dirname(file), specifier))?.[1];
  if (!target || target === room) return undefined;
  if (!rank.has(room) || !rank.has(target))
    return `room "${rank.has(room) ? target : room}" is not in the order of rooms (tools/lint/rules.mjs)`;
  return rank.get(target) < rank.get(room)
    ? undefined
    : `room "${room}" imports room "${target}", which is not before it`;
}

function packageProblem(file, specifier) {
  const name = /^(?:packages|apps)\/([\w-]+)\/src\//.exec(file)?.[1];
  const target = /^@optimum\/([\w-]+)/.exec(specifier)?.[1];
  if (!name || !target || isTest(file)) return undefined;
  if (!(name in mayImport)) return `package "${name}" has no rule for what it may import (tools/lint/rules.mjs)`;
  return mayImport[name].includes(target) ? undefined : `package "${name}" may not import "@optimum/${target}"`;
}

const machinePath = /(^|[\s"'`(=:])\/(work|root|home)\/[\w.-]/;
const registryHost = /https?:\/\/registry\./;

/** Lines that name a path of a machine or the host of a registry. */
export function checkText(file, text) {
  if (file.startsWith('tools/lint/')) return [];
  return text.split('\n').flatMap((line, index) => {
    if (machinePath.test(line)) return [`${file}:${index + 1} names a path of a machine`];
    return registryHost.test(line) ? [`${file}:${index + 1} names the host of a registry`] : [];
  });
}
