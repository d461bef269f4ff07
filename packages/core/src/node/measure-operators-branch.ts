import {
  type Attribute,
  addNode,
  elementCount,
  type Graph,
  intAttribute,
  type Tensor,
  tensorOf,
  type Value,
} from '../ir/index.ts';

/** A small graph whose running time is wanted. */
export interface Variant {
  /** Variants with equal keys are the same graph. */
  readonly key: string;
  /** Bytes of its weights. */
  readonly byteLength: number;
  /** Element type and shape of the tensor that it works on. */
  readonly input: TensorShape;
  /** Rank of what it makes. */
  readonly rank: number;
  readonly build: (branch: Branch, input: Value) => Value;
}

export interface TensorShape {
  readonly elementType: 'float32' | 'uint8';
  readonly dims: readonly number[];
}

const arrays = { float32: Float32Array, int8: Int8Array, uint8: Uint8Array, int32: Int32Array } as const;

type IntegerType = 'int8' | 'uint8' | 'int32';
type WeightType = IntegerType | 'float32';

/** Of all activations and weights. */
const activationScale = 0.02;

const dimsOf = (count: number | undefined): readonly number[] => (count === undefined ? [] : [count]);

/** Puts the nodes of one variant into a graph. */
export class Branch {
  readonly #graph: Graph;

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  add(op: string, inputs: readonly (Value | undefined)[], attributes: Readonly<Record<string, Attribute>> = {}): Value {
    return addNode(this.#graph, op, { inputs, attributes }).outputs[0] as Value;
  }

  constant(tensor: Tensor): Value {
    return this.#graph.addInitializer(tensor);
  }

  /** Numbers without meaning: no kernel's time depends on them. */
  weights(elementType: WeightType, dims: readonly number[]): Value {
    const values = new arrays[elementType](elementCount(dims));
    const [offset, scale] = elementType === 'uint8' ? [1, 1] : elementType === 'float32' ? [-127, 1 / 1024] : [-127, 1];
    for (let index = 0; index < values.length; index++) values[index] = (((index * 7919) % 255) + offset) * scale;
    return this.constant(tensorOf(elementType, dims, values));
  }

  /** One for each of `count` channels, or one for all. */
  scale(value = activationScale, count?: number): Value {
    const values = new Float32Array(count ?? 1).fill(value);
    return this.constant(tensorOf('float32', dimsOf(count), values));
  }

  zeroPoint(elementType: IntegerType, count?: number): Value {
    const values = new arrays[elementType](count ?? 1).fill(elementType === 'uint8' ? 128 : 0);
    return this.constant(tensorOf(elementType, dimsOf(count), values));
  }

  /** @param channels axis and number of channels with scales of their own */
  dequantize(value: Value, elementType: IntegerType, channels?: { axis: number; count: number }): Value {
    // The runtime takes a bias as integers only when its scale is that of the products.
    const scale = elementType === 'int32' ? activationScale ** 2 : activationScale;
    const parameters = [this.scale(scale, channels?.count), this.zeroPoint(elementType, channels?.count)];
    const attributes = channels ? { axis: intAttribute(channels.axis) } : {};
    return this.add('DequantizeLinear', [value, ...parameters], attributes);
  }

  quantize(value: Value): Value {
    return this.add('QuantizeLinear', [value, this.scale(), this.zeroPoint('uint8')]);
  }

  quantizeDynamically(value: Value): [Value, Value, Value] {
    const outputTypes = [undefined, undefined, undefined];
    const node = addNode(this.#graph, 'DynamicQuantizeLinear', { inputs: [value], outputTypes });
    return node.outputs as [Value, Value, Value];
  }
}
