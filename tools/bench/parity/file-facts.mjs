import { createHash } from 'node:crypto';
import { core, coreNode } from '../lib/packages.mjs';

/**
 * @typedef {object} NodeFacts
 * @property {string} name
 * @property {string} op
 * @property {string} local operator, attributes and what makes its inputs, whatever their names
 * @property {readonly string[]} outputs names
 *
 * What is in a model file, by name: enough to say whether two files are the same model.
 *
 * @typedef {object} FileFacts
 * @property {ReadonlyMap<string, string>} tensors type, dims and hash of the bytes of each initializer
 * @property {readonly NodeFacts[]} nodes in the order of the file
 * @property {ReadonlyMap<string, string>} valueInfo types of what nodes of the main graph make, graph outputs left out
 */

/** @param {string} path @returns {FileFacts} */
export function readFileFacts(path) {
  const loaded = coreNode.loadModelSync(path);
  try {
    const { graph } = loaded.model;
    return { tensors: tensorsOf(graph), nodes: nodesOf(graph), valueInfo: valueInfoOf(graph) };
  } finally {
    loaded.close();
  }
}

function tensorsOf(graph) {
  const tensors = new Map();
  for (const value of graph.initializers) {
    const tensor = core.storedTensor(value);
    if (tensor) tensors.set(value.name ?? '', describeTensor(tensor));
  }
  return tensors;
}

function describeTensor(tensor) {
  const hash = createHash('sha256');
  if (tensor.elementType === 'string') for (const bytes of tensor.strings()) hash.update(bytes);
  else for (const piece of tensor.chunks()) hash.update(piece);
  return `${tensor.elementType}[${tensor.dims.join(',')}] ${hash.digest('hex').slice(0, 16)}`;
}

function nodesOf(graph) {
  return Array.from(graph.nodes(), (node) => {
    const attributes = [...node.attributes].sort(([a], [b]) => (a < b ? -1 : 1)).map(describeAttribute);
    const op = opOf(node);
    const local = `${op}{${attributes.join(' ')}}(${node.inputs.map(describeSource).join(', ')})`;
    return { name: node.name ?? '', op, local, outputs: node.outputs.map((value) => value?.name ?? '') };
  });
}

const opOf = ({ op, domain }) => (domain === '' || domain === 'ai.onnx' ? op : `${domain}.${op}`);

/** Where an input comes from, without the names that a tool made up. */
function describeSource(value) {
  if (!value) return '-';
  const { origin } = value;
  if (origin.kind === 'output') return `${opOf(origin.node)}.${origin.index}`;
  const tensor = core.storedTensor(value);
  return tensor ? describeTensor(tensor) : (value.name ?? '');
}

function describeAttribute([name, attribute]) {
  if (attribute.type === 'tensor') return `${name}=${describeTensor(attribute.value)}`;
  if (attribute.type === 'graph' || attribute.type === 'graphs') return `${name}=(graph)`;
  return `${name}=${JSON.stringify(attribute.value, (_key, value) => (typeof value === 'bigint' ? String(value) : value))}`;
}

function valueInfoOf(graph) {
  const types = new Map();
  for (const node of graph.nodes()) {
    for (const value of node.outputs) {
      if (value?.name && value.type && !value.isGraphOutput) types.set(value.name, core.formatType(value.type));
    }
  }
  return types;
}
