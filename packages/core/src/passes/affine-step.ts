import type { Node, Value } from '../ir/index.ts';
import { type Affine, zip } from './affine.ts';
import { type ConstantFloats, constantFloats } from './constant-floats.ts';

/** How channels lie in a tensor to which constants are broadcast. */
export interface ChannelLayout {
  readonly channels: number;
  /** Rank that the tensor has at least: a constant of higher rank would raise it. */
  readonly rank: number;
  /** Axes behind that of the channels. */
  readonly inner: number;
}

/** An operator that does no more than scale and shift channels by constants. */
export interface AffineStep {
  readonly node: Node;
  readonly input: Value;
  readonly output: Value;
  readonly affine: Affine;
  /** Dims of the constant, where the operator broadcasts one. */
  readonly dims: readonly number[] | undefined;
}

/**
 * Mul, Add, Sub and Div with a scalar or one number for each channel, and BatchNormalization as it is in inference.
 * `undefined` for everything else.
 */
export function affineStep(node: Node, layout: ChannelLayout): AffineStep | undefined {
  return batchNormalizationStep(node, layout) ?? elementwiseStep(node, layout);
}

type Elementwise = (constant: readonly number[], isFirst: boolean) => Affine | undefined;

const elementwise: Readonly<Record<string, Elementwise>> = {
  Mul: (constant) => ({ scale: constant, shift: [0] }),
  Add: (constant) => ({ scale: [1], shift: constant }),
  Sub: (constant, isFirst) =>
    isFirst ? { scale: [-1], shift: constant } : { scale: [1], shift: constant.map((number) => -number) },
  // A constant over x is no affine function of x.
  Div: (constant, isFirst) => (isFirst ? undefined : { scale: constant.map((number) => 1 / number), shift: [0] }),
};

function elementwiseStep(node: Node, layout: ChannelLayout): AffineStep | undefined {
  const [a, b] = node.inputs;
  const output = node.outputs[0];
  const affineOf = node.domain === '' && Object.hasOwn(elementwise, node.op) ? elementwise[node.op] : undefined;
  if (!affineOf || !a || !b || !output) return undefined;
  const second = constantFloats(b);
  const constant = second ?? constantFloats(a);
  if (!constant || (second && constantFloats(a))) return undefined;
  const numbers = perChannel(constant, layout);
  const affine = numbers && affineOf(numbers, !second);
  return affine && { node, input: second ? a : b, output, affine, dims: constant.dims };
}

/** One number for all, or one for each channel; `undefined` for a constant that reaches along other axes. */
export function perChannel({ dims, values }: ConstantFloats, layout: ChannelLayout): readonly number[] | undefined {
  if (dims.length > layout.rank || ![1, layout.channels].includes(values.length)) return undefined;
  const axis = dims.length - 1 - layout.inner;
  return values.length === 1 || dims[axis] === values.length ? [...values] : undefined;
}

/**
 * (x − mean) · scale / √(variance + epsilon) + bias.
 * @source onnx BatchNormalization-9 and -15, inference mode; training by `training_mode` or, of old, by further outputs
 */
function batchNormalizationStep(node: Node, { channels }: ChannelLayout): AffineStep | undefined {
  const [input, ...parameters] = node.inputs;
  const [output, ...others] = node.outputs;
  if (!node.is('BatchNormalization') || !input || !output || others.some(Boolean)) return undefined;
  if (node.int('training_mode', 0) !== 0 || node.int('spatial', 1) !== 1) return undefined;
  const [scale, bias, mean, variance] = parameters.map((value) => constantFloats(value)?.values);
  if (!scale || !bias || !mean || !variance) return undefined;
  if ([scale, bias, mean, variance].some(({ length }) => length !== channels)) return undefined;
  const epsilon = node.float('epsilon', 1e-5);
  const factor = Array.from(scale, (number, channel) => number / Math.sqrt((variance[channel] as number) + epsilon));
  const shift = zip(
    [...bias],
    zip([...mean], factor, (a, b) => a * b),
    (a, b) => a - b,
  );
  return { node, input, output, affine: { scale: factor, shift }, dims: undefined };
}
