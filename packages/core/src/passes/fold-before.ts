import { inferTypes } from '../analysis/index.ts';
import { addNode, float32Tensor, type Graph, type Model, type Node, type Value, type ValueType } from '../ir/index.ts';
import { type Affine, channelOf, compose, identityAffine, isAll, isFiniteAffine, zip } from './affine.ts';
import { type AffineStep, affineStep, type ChannelLayout } from './affine-step.ts';
import { dropUnread } from './drop-unread.ts';
import { editableGraphs } from './editable-graphs.ts';
import { scaleWeight, weightedSums } from './scaled-weight.ts';
import { soleConsumer } from './sole-consumer.ts';
import { channelsFirst, setBias, type WeightedProduct, weightedProduct } from './weighted-product.ts';

/** The type of a value, as far as it is known. */
type TypeOf = (value: Value) => ValueType | undefined;

/**
 * Folds what scales and shifts the channels in front of convolutions into their filters and biases, as long as nothing
 * else sees the values between. Where the convolution pads, a shift cannot go, because it is not there in the padding:
 * what is left in front then is one Add. Returns how many operators went.
 */
export function foldBefore(model: Model): number {
  let count = 0;
  // Folding changes no shape of what stays, so one inference serves all.
  const { typeOf } = inferTypes(model);
  for (const graph of editableGraphs(model)) {
    for (const node of [...graph.nodes()]) {
      const product = node.is('Conv') ? weightedProduct(node) : undefined;
      if (product) count += foldIntoFilters(product, chainBefore(product, typeOf), graph);
    }
  }
  return count;
}

interface Chain {
  /** What goes into the first step. */
  readonly source: Value;
  /** From the convolution backwards. */
  readonly steps: readonly AffineStep[];
  /** All steps in one. */
  readonly affine: Affine;
}

function chainBefore(product: WeightedProduct, typeOf: TypeOf): Chain | undefined {
  const { node, weight } = product;
  const layout = channelsFirst(weight.dims, (weight.dims[1] as number) * node.int('group', 1));
  let value = node.inputs[0];
  if (!value) return undefined;
  let chain: Chain = { source: value, steps: [], affine: identityAffine };
  for (let reader = node; soleConsumer(value) === reader; ) {
    const step: AffineStep | undefined = value.producer && affineStep(value.producer, layout);
    const affine = step && keepsShape(step, layout, typeOf) ? compose(step.affine, chain.affine) : undefined;
    if (!step || !affine || !isFiniteAffine(affine)) break;
    chain = { source: step.input, steps: [...chain.steps, step], affine };
    [reader, value] = [step.node, step.input];
  }
  return chain;
}

/** A constant may also spread one channel over many, or raise the rank: the convolution needs what comes out then. */
function keepsShape({ input, dims }: AffineStep, { channels, rank, inner }: ChannelLayout, typeOf: TypeOf): boolean {
  if (!dims) return true;
  const type = typeOf(input);
  const shape = type?.kind === 'tensor' ? type.shape : undefined;
  const isScalar = dims.length < 2 && dims.every((dim) => dim === 1);
  return isScalar || (shape?.length === rank && shape[rank - 1 - inner] === channels);
}

/** Returns how many operators went. */
function foldIntoFilters(product: WeightedProduct, chain: Chain | undefined, graph: Graph): number {
  if (!chain || chain.steps.length === 0) return 0;
  const { node } = product;
  const isShifted = !isAll(chain.affine.shift, 0);
  const isWhole = !isShifted || isUnpadded(node);
  if (!isWhole && !isWorthAnAdd(chain)) return 0;
  const replaced = [node.inputs[1], node.inputs[2], ...chain.steps.flatMap((step) => step.node.inputs)];
  const input = isWhole ? chain.source : shifted(chain, product, graph);
  if (isWhole && isShifted) foldShift(product, chain.affine);
  foldScale(product, chain.affine);
  node.setInput(0, input);
  for (const step of chain.steps) graph.remove(step.node);
  dropUnread(replaced.filter((value) => value !== chain.source));
  return chain.steps.length - (isWhole ? 0 : 1);
}

/** Channel of the input that a filter's element belongs to. */
function inputChannel({ node, weight }: WeightedProduct): (filter: number, channel: number) => number {
  const [filters = 1, channels = 1] = weight.dims;
  const perGroup = filters / node.int('group', 1);
  return (filter, channel) => Math.floor(filter / perGroup) * channels + channel;
}

function foldScale(product: WeightedProduct, { scale }: Affine): void {
  const channel = inputChannel(product);
  if (!isAll(scale, 1))
    scaleWeight(product.node, product.weight, (filter, index) => channelOf(scale, channel(filter, index)));
}

/** Each filter sees the shift at all its places, so that it adds a constant. */
function foldShift(product: WeightedProduct, { shift }: Affine): void {
  const channel = inputChannel(product);
  const sums = weightedSums(product.weight, (filter, index) => channelOf(shift, channel(filter, index)));
  setBias(
    product,
    zip(product.bias, sums, (a, b) => a + b),
  );
}

/** scale · x + shift is scale · (x + shift / scale), and the filters take the scale. */
function shifted({ source, affine, steps }: Chain, { weight }: WeightedProduct, graph: Graph): Value {
  const numbers = zip(affine.shift, affine.scale, (shift, scale) => shift / scale);
  const dims = numbers.length === 1 ? [] : [numbers.length, ...weight.dims.slice(2).map(() => 1)];
  const last = steps[0] as AffineStep;
  const shift = graph.addInitializer(float32Tensor(dims, numbers), last.output.name && `${last.output.name}_shift`);
  const fields = { inputs: [source, shift], name: last.node.name, outputTypes: [last.output.type] };
  return addNode(graph, 'Add', fields, last.node).outputs[0] as Value;
}

/** True where one Add is less than what is there, and its numbers can be computed. */
function isWorthAnAdd({ steps, affine }: Chain): boolean {
  const isAddAlready = steps.length === 1 && steps[0]?.dims !== undefined;
  const { shift, scale } = affine;
  return !isAddAlready && isFiniteAffine({ scale, shift: zip(shift, scale, (a, b) => a / b) });
}

function isUnpadded(node: Node): boolean {
  const mode = node.string('auto_pad', 'NOTSET');
  return mode === 'VALID' || (mode === 'NOTSET' && (node.ints('pads') ?? []).every((pad) => pad === 0));
}
