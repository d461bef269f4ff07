// What core predicts about layers with weights of the full range, from the float model, the plan and activations.
import { core } from '../lib/packages.mjs';

/**
 * @param {object} model float, in the form that the plan is about
 * @param {object} plan of weights of the full range
 * @param {readonly import('./integer-layers.mjs').IntegerLayer[]} layers
 * @param {ReadonlyMap<string, { dims: readonly number[], values: Uint8Array }>} activations by id of the layer
 * @returns {ReadonlyMap<string, { isPossible: boolean, calledOutputs: number }>} by id: by the weights alone, and how many
 *   outputs on these activations
 */
export function predictLayers(model, plan, layers, activations) {
  // Analysed is what would have to be made safe: that is what these layers are taken for.
  const entries = plan.entries.map((entry) => ({ ...entry, decision: pairAware(entry.decision) }));
  const analysed = { ...plan, entries };
  const possible = new Set(core.layersThatSaturate(core.analyzeSaturation(model, analysed)));
  const rows = new Map(layers.map((layer) => [layer.id, rowsOf(layer, activations.get(layer.id))]));
  const counts = new Map(core.analyzeSaturation(model, analysed, rows).map(({ id, observed }) => [id, observed]));
  return new Map(
    layers.map(({ id }) => [id, { isPossible: possible.has(id), calledOutputs: counts.get(id)?.saturated ?? 0 }]),
  );
}

const pairAware = (decision) =>
  decision.weight?.elementType === 'int8'
    ? { ...decision, weight: { ...decision.weight, range: 'pair-aware' } }
    : decision;

/** Activations as they are multiplied: integers on a scale of 1. */
function rowsOf(layer, { dims, values }) {
  if (!layer.isConvolution) {
    const sample = { width: dims.at(-1), values: Float32Array.from(values) };
    return { parameters: { scale: 1, zeroPoint: 0 }, rows: [sample] };
  }
  // Padding puts real zeros around, which are the zero point.
  const zeroPoint = core.constantOf(layer.zeroPoint).tensor.bytes()[0];
  const centred = Float32Array.from(values, (value) => value - zeroPoint);
  return { parameters: { scale: 1, zeroPoint }, rows: core.convolutionRows(centred, dims, geometryOf(layer.node)) };
}

function geometryOf(node) {
  const [, , ...kernel] = node.inputs[3].shape;
  return {
    kernel,
    strides: node.ints('strides') ?? [1, 1],
    dilations: node.ints('dilations') ?? [1, 1],
    pads: node.ints('pads') ?? [0, 0, 0, 0],
    groups: node.int('group', 1),
  };
}
