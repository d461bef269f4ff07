// The integer layers of a quantized file, and what has to run so that each shows whether its kernel saturates.
import { core } from '../lib/packages.mjs';

/** Where each integer operator has its activation, the activation's zero point, and its weight. */
const operands = {
  MatMulInteger: { activation: 0, zeroPoint: 2, weight: 1 },
  MatMulIntegerToFloat: { activation: 0, zeroPoint: 4, weight: 1 },
  QLinearMatMul: { activation: 0, zeroPoint: 2, weight: 3 },
  QGemm: { activation: 0, zeroPoint: 2, weight: 3 },
  QLinearConv: { activation: 0, zeroPoint: 2, weight: 3 },
};

/**
 * @typedef {object} IntegerLayer
 * @property {string} id of the node in the plan
 * @property {object} node of the quantized model
 * @property {boolean} isConvolution
 * @property {object} activation uint8
 * @property {object | undefined} zeroPoint
 * @property {object} weight as the node reads it
 * @property {boolean} isTransposed the weight is [N, K]
 */

/** The layers that a plan gives 8-bit signed weights. @returns {readonly IntegerLayer[]} */
export function integerLayers(model, plan) {
  const nodes = new Map([...core.walkNodes(model)].filter(({ op }) => op in operands).map((node) => [node.name, node]));
  return plan.entries.flatMap(({ id, decision }) => {
    if (decision.weight?.elementType !== 'int8') return [];
    const node = nodes.get(`${id}_quant`);
    if (!node) throw new Error(`The quantized model has no integer operator for "${id}".`);
    const { activation, zeroPoint, weight } = operands[node.op];
    return [
      {
        id,
        node,
        isConvolution: node.op === 'QLinearConv',
        activation: node.inputs[activation],
        zeroPoint: node.inputs[zeroPoint],
        weight: node.inputs[weight],
        isTransposed: node.op === 'QGemm' && node.int('transB', 0) === 1,
      },
    ];
  });
}

/**
 * Adds to the model, for each product, MatMulInteger on its own operands, whose sums can be compared to the last bit, and
 * MatMulInteger on the activations that its weights stand least; makes activations outputs. Convolutions hand out 8 bits.
 *
 * @param {readonly IntegerLayer[]} layers
 * @returns {readonly { id: string, isConvolution: boolean, observed: string, worst?: string, activation: string }[]} names
 *   of nodes and of outputs
 */
export function addProbes(model, layers) {
  const outputs = new Map();
  return layers.map((layer, ordinal) => {
    const { id, isConvolution, node } = layer;
    const activation = exposed(model, layer.activation, outputs);
    if (isConvolution) {
      node.name = `probe.${ordinal}.observed`;
      return { id, isConvolution, observed: node.name, activation };
    }
    const observed = probe(layer, `probe.${ordinal}.observed`, [layer.activation, layer.zeroPoint]);
    const worst = probe(layer, `probe.${ordinal}.worst`, [worstActivations(model, layer)]);
    return { id, isConvolution, observed, worst, activation };
  });
}

function exposed(model, value, outputs) {
  const known = outputs.get(value);
  if (known) return known;
  value.type = core.tensorType('uint8');
  if (!model.graph.outputs.includes(value)) model.graph.addOutput(value);
  value.name ??= `probe.activation.${outputs.size}`;
  outputs.set(value, value.name);
  return value.name;
}

function probe({ node, weight, isTransposed }, name, [activation, zeroPoint]) {
  const { graph } = node;
  const transposed = { inputs: [weight], attributes: { perm: core.intsAttribute([1, 0]) } };
  const matrix = isTransposed ? core.addNode(graph, 'Transpose', transposed, node).outputs[0] : weight;
  const inputs = [activation, matrix, ...(zeroPoint ? [zeroPoint] : [])];
  const before = node.next;
  const outputTypes = [core.tensorType('int32')];
  core.addNode(graph, 'MatMulInteger', { name, inputs, outputTypes }, before);
  return name;
}

/** [2, K]: all that the largest pair of positive weights can add up to, and the same of negative ones. */
function worstActivations(model, { weight, isTransposed }) {
  const { values, rows, columns } = matrixOf(weight, isTransposed);
  const activations = new Uint8Array(2 * rows);
  for (const [row, sign] of [1, -1].entries()) {
    const { pair, column } = largestPair({ values, rows, columns }, sign);
    for (const k of [pair, pair + 1].filter((at) => at < rows))
      if (sign * values[k * columns + column] > 0) activations[row * rows + k] = 255;
  }
  return model.graph.addInitializer(core.tensorOfBytes('uint8', [2, rows], activations));
}

function largestPair({ values, rows, columns }, sign) {
  let best = { pair: 0, column: 0, sum: -1 };
  for (let pair = 0; pair < rows; pair += 2)
    for (let column = 0; column < columns; column++) {
      const [v, w] = [sign * values[pair * columns + column], sign * (values[(pair + 1) * columns + column] ?? 0)];
      const sum = Math.max(v, 0) + Math.max(w, 0);
      if (sum > best.sum) best = { pair, column, sum };
    }
  return best;
}

/** The weight [K, N], however it is stored. */
function matrixOf(value, isTransposed) {
  const { tensor, dims, transposed } = core.constantOf(value);
  const bytes = tensor.bytes();
  const stored = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [rows, columns] = isTransposed ? [dims[1], dims[0]] : dims;
  if (transposed === isTransposed) return { values: stored, rows, columns };
  const values = stored.map((_, at) => stored[(at % columns) * rows + Math.floor(at / columns)]);
  return { values, rows, columns };
}
