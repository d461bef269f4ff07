import { float32Tensor, type Node, type Value } from '../../ir/index.ts';
import { constantFloats } from '../../passes/constant-floats.ts';
import { dropUnread } from '../../passes/drop-unread.ts';
import { derivedName } from '../../passes/scaled-weight.ts';
import { soleConsumer } from '../../passes/sole-consumer.ts';

/** The constant that is added to a layer's outputs, one number for each channel. */
export interface BiasPlace {
  readonly node: Node;
  readonly input: number;
  /** What the constant is multiplied by when it is added (beta of Gemm). */
  readonly factor: number;
  readonly values: Float32Array;
}

/** B of Conv, C of Gemm, or the Add behind a MatMul that nothing else sees; `undefined` for what is computed. */
export function biasPlace(node: Node, channels: number): BiasPlace | undefined {
  if (!node.is('MatMul')) return placeAt(node, 2, node.is('Gemm') ? node.float('beta', 1) : 1, channels);
  const [output] = node.outputs;
  const add = output && soleConsumer(output);
  if (!add?.is('Add')) return undefined;
  return placeAt(add, add.inputs[0] === output ? 1 : 0, 1, channels);
}

function placeAt(node: Node, input: number, factor: number, channels: number): BiasPlace | undefined {
  const constant = constantFloats(node.inputs[input]);
  const isVector = constant?.values.length === channels && (constant.dims.at(-1) ?? 1) === channels;
  return constant && isVector && factor !== 0 ? { node, input, factor, values: constant.values } : undefined;
}

/** Adds to each channel. The layer gets a constant of its own, so that others who share it see no change. */
export function shiftBias({ node, input, factor, values }: BiasPlace, shift: ArrayLike<number>): void {
  const before = node.inputs[input] as Value;
  const dims = constantFloats(before)?.dims ?? [values.length];
  const shifted = values.map((value, channel) => value + (shift[channel] as number) / factor);
  node.setInput(input, node.graph?.addInitializer(float32Tensor(dims, shifted), derivedName(before.name)));
  dropUnread([before]);
}
