import { type ConstantRef, constantOf } from '../analysis/index.ts';
import { float32Tensor, type Node, type Value } from '../ir/index.ts';
import { channelOf } from './affine.ts';
import { type ChannelLayout, perChannel } from './affine-step.ts';
import { constantFloats } from './constant-floats.ts';
import { derivedName } from './scaled-weight.ts';

/** A convolution or matrix product with a constant float32 weight, as far as scaling its channels is concerned. */
export interface WeightedProduct {
  readonly node: Node;
  readonly output: Value;
  readonly weight: ConstantRef;
  /** What is added to each output channel, or one number for all. */
  readonly bias: readonly number[];
  readonly takesBias: boolean;
  /** Channels of the output. */
  readonly layout: ChannelLayout;
  /** Output channel of the weight's elements at [first, second, …]. */
  readonly outputChannel: (first: number, second: number) => number;
}

type Shape = Pick<WeightedProduct, 'layout' | 'outputChannel'>;

/** `undefined` when the operator is another one, or its weight or bias is computed. */
export function weightedProduct(node: Node): WeightedProduct | undefined {
  const shapeOf = node.domain === '' && Object.hasOwn(shapes, node.op) ? shapes[node.op] : undefined;
  const output = node.outputs[0];
  const operand = shapeOf && node.inputs[1];
  const weight = operand && constantOf(operand);
  if (!weight || !output || !isFloat32(weight) || weight.dims.some((dim) => dim < 1)) return undefined;
  const shape = shapeOf?.(node, weight.dims);
  const bias = shape && biasOf(node, shape.layout);
  return bias && { node, output, weight, bias, takesBias: node.op !== 'MatMul', ...shape };
}

const isFloat32 = ({ elementType, tensor }: ConstantRef): boolean =>
  elementType === 'float32' && tensor.elementType === 'float32';

const shapes: Readonly<Record<string, (node: Node, dims: readonly number[]) => Shape | undefined>> = {
  Conv: (_node, dims) =>
    dims.length < 3 ? undefined : { layout: channelsFirst(dims, dims[0] as number), outputChannel: (filter) => filter },
  ConvTranspose(node, dims) {
    const groups = node.int('group', 1);
    const [inputs = 0, outputs = 0] = dims;
    if (dims.length < 3 || inputs % groups !== 0) return undefined;
    const outputChannel = (input: number, output: number): number =>
      Math.floor(input / (inputs / groups)) * outputs + output;
    return { layout: channelsFirst(dims, outputs * groups), outputChannel };
  },
  Gemm(node, dims) {
    const isTransposed = node.int('transB', 0) === 1;
    const channels = dims[isTransposed ? 0 : 1];
    if (dims.length !== 2 || !channels) return undefined;
    const outputChannel = (first: number, second: number): number => (isTransposed ? first : second);
    return { layout: { channels, rank: 2, inner: 0 }, outputChannel };
  },
  // The product has a rank of one at least: what is multiplied may be a vector.
  MatMul: (_node, dims) =>
    dims.length !== 2
      ? undefined
      : { layout: { channels: dims[1] as number, rank: 1, inner: 0 }, outputChannel: (_row, column) => column },
};

/** [N, C, …] */
export const channelsFirst = (weight: readonly number[], channels: number): ChannelLayout => ({
  channels,
  rank: weight.length,
  inner: weight.length - 2,
});

/** beta · C of Gemm, B of convolutions; 0 where there is none. */
function biasOf(node: Node, layout: ChannelLayout): readonly number[] | undefined {
  const value = node.inputs[2];
  if (!value) return [0];
  const constant = constantFloats(value);
  const numbers = constant && perChannel(constant, node.op === 'Gemm' ? layout : { ...layout, inner: 0, rank: 1 });
  const beta = node.op === 'Gemm' ? node.float('beta', 1) : 1;
  return numbers?.map((number) => number * beta);
}

/** Gives a product another bias, in the place of beta · C of Gemm too. */
export function setBias({ node, layout, weight }: WeightedProduct, bias: readonly number[]): void {
  const numbers = Array.from({ length: layout.channels }, (_, channel) => channelOf(bias, channel));
  const name = node.inputs[2]?.name ?? (weight.root.name && `${weight.root.name}_bias`);
  const value = node.graph?.addInitializer(float32Tensor([layout.channels], numbers), derivedName(name));
  node.setInput(2, value);
  if (node.op === 'Gemm') node.setAttribute('beta', undefined);
}
