import { storedTensor } from '../../analysis/index.ts';
import type { Node, Value } from '../../ir/index.ts';
import type { IntegerProduct } from './integer-products.ts';
import type { WeightLayout } from './weight-layout.ts';
import { channelCount } from './weight-layout.ts';

/** An input that holds scales of a weight, or a factor that contains them: float32, one or one for each channel. */
export interface ScalePlace {
  readonly node: Node;
  readonly index: number;
}

/** First opset of the standard domain whose DequantizeLinear takes one scale for each channel. */
const firstPerAxisOpset = 13;

/**
 * Where a product's weight can be given one scale for each output channel, or why it cannot: as an input of the operator
 * or of DequantizeLinear, or, behind MatMulInteger, as a stored factor of what its sums are multiplied by.
 */
export function scalePlaceOf(product: IntegerProduct, layout: WeightLayout, opset: number): ScalePlace | string {
  const { weight, form } = product;
  if (form === 'qdq' && opset < firstPerAxisOpset)
    return `opset ${opset} has one scale for a whole weight (${firstPerAxisOpset} has one for each channel)`;
  const place =
    weight.scale === undefined ? factorBehind(product.node, layout) : { node: weight.reader, index: weight.scale };
  return place && isScale(place.node.inputs[place.index], layout)
    ? place
    : 'the scale of its weight is computed, or is not where it can be found';
}

function isScale(value: Value | undefined, layout: WeightLayout): boolean {
  const tensor = value && storedTensor(value);
  return (
    tensor?.elementType === 'float32' && (tensor.elementCount === 1 || tensor.elementCount === channelCount(layout))
  );
}

/** How many Mul in a row are looked at. */
const longestChain = 3;

/**
 * MatMulInteger → Cast → Mul: a stored factor of one of the next Mul, or of a Mul that only makes its other factor.
 * @source onnxruntime/python/tools/quantization/operators/matmul.py: `MatMulInteger, Cast, Mul(·, Mul(a_scale, b_scale))`
 */
function factorBehind(node: Node, layout: WeightLayout): ScalePlace | undefined {
  let value = node.outputs[0];
  const cast = soleReader(value);
  if (cast?.is('Cast')) value = cast.outputs[0];
  for (let step = 0; step < longestChain; step++) {
    const product = soleReader(value);
    if (!product?.is('Mul')) return undefined;
    const index = product.inputs[0] === value ? 1 : 0;
    const factor = product.inputs[index];
    if (isScale(factor, layout)) return { node: product, index };
    const inner = factor?.producer;
    const own = inner?.is('Mul') && soleReader(factor) ? inner.inputs.findIndex((one) => isScale(one, layout)) : -1;
    if (inner && own >= 0) return { node: inner, index: own };
    value = product.outputs[0];
  }
  return undefined;
}

/** The only reader of a value, if no graph hands the value out. */
function soleReader(value: Value | undefined): Node | undefined {
  if (value?.uses.size !== 1 || value.isGraphOutput) return undefined;
  return value.consumers[0];
}
