import { core, coreNode } from '../lib/packages.mjs';

const layers = [1, 4];
const channelsPerLayer = 3;
const factor = 300;

/**
 * Writes a model that computes the same function, but is hard to quantize: in two layers of the encoder, three
 * channels of the value projection (with their bias) are 300 times as large, and the rows of the attention's output
 * matrix that read them 300 times as small.
 *
 * @param {string} input a BERT encoder as the legacy exporter names it
 * @param {string} output
 * @param {number} seed of the choice of channels
 * @returns {Promise<Readonly<Record<string, readonly number[]>>>} the channels by layer
 */
export async function writeOutlierVariant(input, output, seed) {
  const loaded = coreNode.loadModelSync(input);
  try {
    const random = core.seededRandom(seed);
    const planted = {};
    for (const layer of layers) planted[layer] = plant(loaded.model.graph, layer, random);
    await coreNode.saveModel(loaded.model, output, { force: true });
    return planted;
  } finally {
    loaded.close();
  }
}

function plant(graph, layer, random) {
  const attention = `/encoder/layer.${layer}/attention`;
  const value = matMul(graph, `${attention}/self/value/MatMul`);
  const dense = matMul(graph, `${attention}/output/dense/MatMul`);
  const width = core.storedTensor(value.inputs[1]).dims[1];
  const channels = new Set();
  while (channels.size < channelsPerLayer) channels.add(random.integer(width));
  const [add] = value.outputs[0].consumers;
  const bias = add.inputs.findIndex((input) => input && core.storedTensor(input));
  scaleWeight(graph, value, 1, (_row, column) => (channels.has(column) ? factor : 1));
  scaleWeight(graph, add, bias, (_row, column) => (channels.has(column) ? factor : 1));
  scaleWeight(graph, dense, 1, (row) => (channels.has(row) ? 1 / factor : 1));
  return [...channels];
}

function matMul(graph, suffix) {
  for (const node of graph.nodes()) if (node.name?.endsWith(suffix)) return node;
  throw new Error(`The model has no node …${suffix}.`);
}

/** Puts a scaled copy of a weight in its place. `scale` takes row and column; a vector is one row. */
function scaleWeight(graph, node, index, scale) {
  const old = node.inputs[index];
  const tensor = core.storedTensor(old);
  const width = tensor.dims.at(-1);
  const numbers = new Float32Array(tensor.bytes().slice().buffer);
  const scaled = numbers.map((number, at) => number * scale(Math.floor(at / width), at % width));
  node.setInput(index, graph.addInitializer(core.float32Tensor(tensor.dims, scaled), old.name));
  if (old.uses.size === 0 && graph.initializers.has(old)) graph.removeInitializer(old);
}
