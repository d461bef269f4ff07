import { integersOf, type TypeInference } from '../../analysis/index.ts';
import type { Node, Shape, Value } from '../../ir/index.ts';
import { constantFloats } from '../../passes/constant-floats.ts';
import { isHomogeneous } from './homogeneous.ts';
import { isOnlyReader, productOf } from './product.ts';
import { isAlongChannels, type ScalingPlace } from './scale-channels.ts';

/** Where a factor for each channel of a value can go, so that nothing else sees it. */
export interface Scaling {
  /** All of them take the factors. */
  readonly places: readonly ScalingPlace[];
  /** Operator that takes them up in the end, for people. */
  readonly into: string;
}

/**
 * The axes along which the channels of a tensor run, outermost first, counted from the last (-1), and their sizes: the
 * heads of attention are two axes, [-3, -1] once they are transposed.
 */
interface Layout {
  readonly axes: readonly number[];
  readonly sizes: readonly number[];
}

interface Search {
  readonly channels: number;
  readonly typeOf: TypeInference['typeOf'];
  readonly steps: number;
}

/** Operators behind which nobody looks. */
const longestSearch = 32;

/**
 * Looks upstream for constants that can take up positive factors along the last axis of a value: gain and bias of a
 * normalization, or the outputs of a product, through what commutes with such factors. `undefined` when some value on the
 * way is seen by others, or when it cannot be proved that the factors arrive at the right channels. Who reads `value`
 * itself is the caller's business.
 */
export function findScaling(value: Value, channels: number, typeOf: TypeInference['typeOf']): Scaling | undefined {
  return search(value, { axes: [-1], sizes: [channels] }, { channels, typeOf, steps: 0 });
}

function search(value: Value, layout: Layout, state: Search): Scaling | undefined {
  const node = value.producer;
  if (!node || node.outputs[0] !== value || state.steps === longestSearch) return undefined;
  if (isHomogeneous(node)) return through(node, 0, layout, { ...state, steps: state.steps + 1 });
  const rule = Object.hasOwn(rules, node.op) ? rules[node.op] : undefined;
  if (!rule || (node.domain !== '' && !(node.domain === 'com.microsoft' && foreign.has(node.op)))) return undefined;
  return rule(node, layout, { ...state, steps: state.steps + 1 });
}

/** On through an input that only this node sees. */
function through(node: Node, index: number, layout: Layout, state: Search): Scaling | undefined {
  const input = node.inputs[index];
  return input && isSeenOnlyBy(input, node) ? search(input, layout, state) : undefined;
}

/** Operators that look at the shape only. */
const shapeReaders = new Set(['Shape', 'Size']);
export const readsShape = (node: Node): boolean => node.domain === '' && shapeReaders.has(node.op);

function isSeenOnlyBy(value: Value, reader: Node): boolean {
  let reads = 0;
  for (const use of value.uses) {
    if (use.kind === 'output') return false;
    if (use.node === reader) reads++;
    else if (!readsShape(use.node)) return false;
  }
  return reads === 1;
}

type Rule = (node: Node, layout: Layout, state: Search) => Scaling | undefined;

const isLast = ({ axes }: Layout): boolean => axes.length === 1 && axes[0] === -1;

/** Inputs of gain and bias; the bias is optional. */
const normalization =
  (gain: number, bias?: number): Rule =>
  (node, layout, { channels, typeOf }) => {
    const rank = rankOf(node.inputs[0], typeOf);
    const axis = node.int('axis', -1);
    if (!isLast(layout) || (axis !== -1 && axis + 1 !== rank)) return undefined;
    const inputs = bias !== undefined && node.inputs[bias] ? [gain, bias] : [gain];
    if (!inputs.every((input) => isAlongChannels(node.inputs[input], channels))) return undefined;
    return { places: inputs.map((input) => ({ kind: 'constant', node, input })), into: node.op };
  };

/** Operators of other domains with a rule here. */
const foreign = new Set(['SimplifiedLayerNormalization', 'SkipLayerNormalization', 'SkipSimplifiedLayerNormalization']);

const rules: Readonly<Record<string, Rule>> = {
  LayerNormalization: normalization(1, 2),
  RMSNormalization: normalization(1),
  SimplifiedLayerNormalization: normalization(1),
  SkipLayerNormalization: normalization(2, 3),
  SkipSimplifiedLayerNormalization: normalization(2),
  Dropout: (node, layout, state) => (node.outputs.slice(1).some(Boolean) ? undefined : through(node, 0, layout, state)),
  Add: shifted,
  Sub: shifted,
  Mul: scaled,
  Div: (node, layout, state) => (constantFloats(node.inputs[1]) ? through(node, 0, layout, state) : undefined),
  MatMul: product,
  Gemm: product,
  Reshape: regrouped,
  Flatten: regrouped,
  Squeeze: regrouped,
  Unsqueeze: regrouped,
  Transpose(node, layout, state) {
    const permutation = node.ints('perm');
    if (!permutation) return undefined;
    const rank = permutation.length;
    const axes = layout.axes.map((axis) => (permutation[rank + axis] as number) - rank);
    return axes.every((axis) => axis < 0) ? through(node, 0, { ...layout, axes }, state) : undefined;
  },
  Gather(node, layout, state) {
    const rank = rankOf(node.inputs[0], state.typeOf);
    const axis = node.int('axis', 0);
    const isBefore = rank !== undefined && (axis < 0 ? axis : axis - rank) < -1;
    return isBefore && isLast(layout) ? through(node, 0, layout, state) : undefined;
  },
  ReduceMean(node, layout, state) {
    const rank = rankOf(node.inputs[0], state.typeOf);
    const axes = node.ints('axes') ?? integersOf(node.inputs[1]) ?? [];
    const isBefore =
      rank !== undefined && axes.length > 0 && axes.every((axis) => (axis < 0 ? axis : axis - rank) < -1);
    return isBefore && isLast(layout) ? through(node, 0, layout, state) : undefined;
  },
};

const rankOf = (value: Value | undefined, typeOf: TypeInference['typeOf']): number | undefined =>
  value && shapeOf(value, typeOf)?.length;

function shapeOf(value: Value, typeOf: TypeInference['typeOf']): Shape | undefined {
  const type = typeOf(value);
  return type?.kind === 'tensor' ? type.shape : undefined;
}

/** s · (x + c) = s · x + s · c, where the constant has a number for each channel. */
function shifted(node: Node, layout: Layout, state: Search): Scaling | undefined {
  const constant = constantOperand(node);
  if (constant === undefined || !isLast(layout)) return undefined;
  if (!isAlongChannels(node.inputs[constant], state.channels, true)) return undefined;
  const rest = through(node, 1 - constant, layout, state);
  return rest && { ...rest, places: [...rest.places, { kind: 'constant', node, input: constant }] };
}

/** A constant along the channels takes the factors up; of two computed operands, either does. */
function scaled(node: Node, layout: Layout, state: Search): Scaling | undefined {
  const constant = constantOperand(node);
  if (constant === undefined) return through(node, 1, layout, state) ?? through(node, 0, layout, state);
  if (isLast(layout) && isAlongChannels(node.inputs[constant], state.channels))
    return { places: [{ kind: 'constant', node, input: constant }], into: node.op };
  const isSingle = constantFloats(node.inputs[constant])?.values.length === 1;
  return isSingle ? through(node, 1 - constant, layout, state) : undefined;
}

/** Which of two operands is a small constant. */
function constantOperand({ inputs }: Node): number | undefined {
  return [1, 0].find((input) => constantFloats(inputs[input]));
}

function product(node: Node, layout: Layout, state: Search): Scaling | undefined {
  const weighted = productOf(node);
  if (!weighted) return node.is('MatMul') ? mixed(node, layout, state) : undefined;
  const isFit = isLast(layout) && weighted.outputs === state.channels && isOnlyReader(weighted.weight);
  if (!isFit) return undefined;
  const bias = node.is('Gemm') ? node.inputs[2] : undefined;
  if (bias && !isAlongChannels(bias, state.channels, true)) return undefined;
  const places: ScalingPlace[] = [{ kind: 'outputs', node }];
  return { places: bias ? [...places, { kind: 'constant', node, input: 2 }] : places, into: node.op };
}

/** Attention mixes rows of V with its probabilities, head by head: the channels of the result are those of V. */
function mixed(node: Node, { axes, sizes }: Layout, state: Search): Scaling | undefined {
  const mixedIn = node.inputs[1];
  const shape = mixedIn && shapeOf(mixedIn, state.typeOf);
  if (!shape || !axes.includes(-1) || axes.includes(-2)) return undefined;
  // A head that serves several (grouped queries) has one channel for all of them.
  const isOwn = axes.every((axis, place) => shape[shape.length + axis] === sizes[place]);
  return isOwn ? through(node, 1, { axes, sizes }, state) : undefined;
}

/**
 * Grouping axes anew moves no number: where the channels are the innermost axes before and after, the number at flat
 * place f has channel f mod C on both sides, whatever the outer axes are.
 */
function regrouped(node: Node, { axes, sizes }: Layout, state: Search): Scaling | undefined {
  const [input] = node.inputs;
  const output = node.outputs[0];
  const after = output && shapeOf(output, state.typeOf);
  const before = input && shapeOf(input, state.typeOf);
  const isInnermost = axes.every((axis, place) => axis === place - axes.length);
  if (!after || !before || !isInnermost || !axes.every((axis, place) => after[after.length + axis] === sizes[place]))
    return undefined;
  const inner = innermost(before, state.channels);
  return inner && through(node, 0, { axes: inner.map((_, place) => place - inner.length), sizes: inner }, state);
}

/** The innermost sizes that multiply to the number of channels. */
function innermost(shape: Shape, channels: number): readonly number[] | undefined {
  for (let first = shape.length - 1, product = 1; first >= 0; first--) {
    const size = shape[first];
    if (typeof size !== 'number' || size < 1) return undefined;
    product *= size;
    if (product === channels) return shape.slice(first) as number[];
    if (product > channels) return undefined;
  }
  return undefined;
}
