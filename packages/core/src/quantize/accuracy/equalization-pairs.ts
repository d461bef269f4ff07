import type { Model, Node, Value } from '../../ir/index.ts';
import { constantFloats } from '../../passes/constant-floats.ts';
import { editableGraphs } from '../../passes/editable-graphs.ts';
import { soleConsumer } from '../../passes/sole-consumer.ts';
import { isHomogeneous } from './homogeneous.ts';
import { type Layer, layerOf } from './layer-statistics.ts';
import { isOnlyReader } from './product.ts';
import { isAlongChannels, type ScalingPlace } from './scale-channels.ts';

/** Two layers between which channels can be scaled without a change to the outputs of the second. */
export interface EqualizationPair {
  readonly first: Layer;
  readonly second: Layer;
  /** Biases of the first, which are scaled as its outputs are. */
  readonly biases: readonly ScalingPlace[];
}

/** Pairs in the order of their first layers; a layer may be the second of one pair and the first of the next. */
export const equalizationPairs = (model: Model): EqualizationPair[] =>
  editableGraphs(model).flatMap((graph) => [...graph.nodes()].flatMap((node) => pairFrom(node) ?? []));

function pairFrom(node: Node): EqualizationPair | undefined {
  const first = layerOf(node);
  if (!first || !isOnlyReader(first.weight)) return undefined;
  const own = node.is('MatMul') ? [] : ownBias(first);
  return own && walk(first, node.outputs[0], own);
}

/** B of Conv or C of Gemm; `undefined` when it is there but computed. */
function ownBias({ node, outputs, kind }: Layer): ScalingPlace[] | undefined {
  const bias = node.inputs[2];
  if (!bias) return [];
  const isPlain =
    kind === 'product' ? isAlongChannels(bias, outputs, true) : constantFloats(bias)?.values.length === outputs;
  return isPlain ? [{ kind: 'constant', node, input: 2 }] : undefined;
}

/** Down to the next layer, past what commutes with factors by channel, as long as nothing else looks on. */
function walk(first: Layer, output: Value | undefined, own: readonly ScalingPlace[]): EqualizationPair | undefined {
  const biases = [...own];
  for (let value = output; value; ) {
    const reader = soleConsumer(value);
    if (!reader) return undefined;
    if (commutes(reader, first)) {
      value = reader.inputs[0] === value ? reader.outputs[0] : undefined;
      continue;
    }
    const added = first.kind === 'product' ? addedBias(reader, value, first.outputs) : undefined;
    if (!added) return closing(first, reader, value, biases);
    biases.push(added);
    value = reader.outputs[0];
  }
  return undefined;
}

/** Pooling goes channel by channel and takes maxima or means. */
const pools = new Set(['MaxPool', 'AveragePool', 'GlobalMaxPool', 'GlobalAveragePool']);

const commutes = (node: Node, { kind }: Layer): boolean =>
  isHomogeneous(node) ||
  (kind === 'convolution' && node.domain === '' && pools.has(node.op) && !node.outputs.slice(1).some(Boolean));

function addedBias(reader: Node, value: Value, channels: number): ScalingPlace | undefined {
  if (!reader.is('Add')) return undefined;
  const input = reader.inputs[0] === value ? 1 : 0;
  return isAlongChannels(reader.inputs[input], channels, true) ? { kind: 'constant', node: reader, input } : undefined;
}

function closing(
  first: Layer,
  node: Node,
  value: Value,
  biases: readonly ScalingPlace[],
): EqualizationPair | undefined {
  const second = layerOf(node);
  const isPair =
    second?.kind === first.kind &&
    node.inputs[0] === value &&
    second.inputs === first.outputs &&
    isOnlyReader(second.weight);
  return isPair ? { first, second, biases } : undefined;
}
