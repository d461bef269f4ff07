import { constantOf, storedTensor } from '../../analysis/index.ts';
import { addNode, float32Tensor, intAttribute, type Node, tensorOf } from '../../ir/index.ts';
import { roundHalfEven } from '../../kernels/index.ts';
import type { IntegerProduct } from './integer-products.ts';
import { removeIfUnread } from './remove-if-unread.ts';

/** An int32 bias in units of activation scale × weight scale. */
export interface BiasPlace {
  /** The node that reads the integers: the product, or DequantizeLinear before it. */
  readonly reader: Node;
  readonly index: number;
  readonly numbers: Int32Array;
}

const operatorBias: Readonly<Record<string, number>> = { QGemm: 6, QLinearConv: 8 };

/** The bias that depends on the scale of a product's weight, `undefined` when there is none, or why it cannot follow. */
export function biasPlaceOf(product: IntegerProduct, channels: number): BiasPlace | string | undefined {
  const { node, form } = product;
  const dequantize = form === 'qdq' ? biasDequantize(node) : undefined;
  const index = form === 'qdq' ? 0 : operatorBias[node.op];
  const reader = form === 'qdq' ? dequantize : node;
  const value = reader && index !== undefined ? reader.inputs[index] : undefined;
  if (!value || !reader || index === undefined) return undefined;
  const tensor = constantOf(value)?.tensor;
  if (tensor?.elementType !== 'int32' || tensor.elementCount !== channels)
    return 'its bias is not stored with one integer for each channel';
  return { reader, index, numbers: new Int32Array(new Uint8Array(tensor.bytes()).buffer) };
}

function biasDequantize({ op, inputs: [, , bias] }: Node): Node | undefined {
  const node = op === 'MatMul' ? undefined : bias?.producer;
  return node?.is('DequantizeLinear') ? node : undefined;
}

/** Divides the integers of a bias by what the scales of its channels were raised by. */
export function rescaleBias({ reader, index, numbers }: BiasPlace, factors: Float32Array, product: Node): void {
  const { graph } = reader;
  const old = reader.inputs[index];
  if (!graph || !old) return;
  const divided = numbers.map((number, channel) => roundHalfEven(number / (factors[channel] as number)));
  const dims = constantOf(old)?.dims ?? [divided.length];
  const bias = graph.addInitializer(tensorOf('int32', dims, divided), old.name && `${old.name}_pair_aware`);
  if (reader === product) reader.setInput(index, bias);
  else {
    product.setInput(2, dequantizedBias(reader, bias, factors, product));
    removeIfUnread(reader);
  }
}

function dequantizedBias(old: Node, bias: NonNullable<Node['inputs'][0]>, factors: Float32Array, product: Node) {
  const graph = old.graph as NonNullable<Node['graph']>;
  const scale = graph.addInitializer(float32Tensor([factors.length], scaledBy(old.inputs[1], factors)));
  const made = addNode(
    graph,
    'DequantizeLinear',
    { inputs: [bias, scale], attributes: { axis: intAttribute(0) }, name: old.name && `${old.name}_pair_aware` },
    product.graph === graph ? product : old,
  );
  return made.outputs[0];
}

/** Stored scales, one for each channel, times their factors. */
export function scaledBy(scale: Node['inputs'][0], factors: Float32Array): Float32Array {
  const tensor = scale && storedTensor(scale);
  const numbers = tensor ? new Float32Array(new Uint8Array(tensor.bytes()).buffer) : new Float32Array(1);
  return factors.map((factor, channel) => (numbers[numbers.length === 1 ? 0 : channel] as number) * factor);
}
