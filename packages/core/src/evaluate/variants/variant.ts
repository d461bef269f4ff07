import {
  type Attribute,
  addNode,
  elementCount,
  type Graph,
  int64Tensor,
  intAttribute,
  type Tensor,
  tensorOf,
  type Value,
} from '../../ir/index.ts';

/** A small graph whose running time is wanted. */
export interface Variant {
  /** Variants with equal keys are the same graph, at the same shape. */
  readonly key: string;
  /**
   * Variants with equal branches are one graph, whose input gets its shape when it runs: only the dims may differ. Without
   * it the shape is a constant of the graph.
   */
  readonly branch?: string;
  /** Bytes of its weights. */
  readonly byteLength: number;
  /** Element type and shape of the tensor that it works on. */
  readonly input: TensorShape;
  /** Rank of what it makes. */
  readonly rank: number;
  readonly build: (builder: VariantBuilder, input: Value) => Value;
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

const patternLength = 255;

/** Numbers without meaning: no kernel's time depends on them. */
function pattern(elementType: WeightType, dims: readonly number[], seed: number) {
  const values = new arrays[elementType](elementCount(dims));
  const [offset, scale] = elementType === 'uint8' ? [1, 1] : elementType === 'float32' ? [-127, 1 / 1024] : [-127, 1];
  const first = Math.min(values.length, patternLength);
  for (let index = 0; index < first; index++)
    values[index] = ((((index + seed) * 7919) % patternLength) + offset) * scale;
  // Doubled until it fills the tensor: there may be a hundred million of them.
  for (let filled = first; filled < values.length; filled *= 2) values.copyWithin(filled, 0, filled);
  return values;
}

/** Puts the nodes of one variant into a graph. */
export class VariantBuilder {
  readonly #graph: Graph;

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** @param domain of the operator; other ones than the standard domain are imported at version 1 */
  add(
    op: string,
    inputs: readonly (Value | undefined)[],
    attributes: Readonly<Record<string, Attribute>> = {},
    domain = '',
  ): Value {
    return addNode(this.#graph, op, { inputs, attributes, domain }).outputs[0] as Value;
  }

  constant(tensor: Tensor): Value {
    return this.#graph.addInitializer(tensor);
  }

  /** What Reshape and Expand ask for. */
  shape(dims: readonly number[]): Value {
    return this.constant(int64Tensor([dims.length], dims));
  }

  /** @param seed weights of different seeds are different ones: what is the same is stored and packed once */
  weights(elementType: WeightType, dims: readonly number[], seed = 0): Value {
    return this.constant(tensorOf(elementType, dims, pattern(elementType, dims, seed)));
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

  quantize(value: Value, elementType: 'uint8' | 'int8' = 'uint8'): Value {
    return this.add('QuantizeLinear', [value, this.scale(), this.zeroPoint(elementType)]);
  }

  /** Float in, float out: what the runtime fuses into one operator. @param matrix [K, N] */
  dynamicProduct(value: Value, weightType: 'int8' | 'uint8', matrix: readonly [number, number], seed = 0): Value {
    const [quantized, scale, zeroPoint] = this.quantizeDynamically(value);
    const [, columns] = matrix;
    const operands = [
      quantized,
      this.weights(weightType, matrix, seed),
      zeroPoint,
      this.zeroPoint(weightType, columns),
    ];
    const sum = this.add('Cast', [this.add('MatMulInteger', operands)], { to: intAttribute(1) });
    return this.add('Mul', [sum, this.add('Mul', [scale, this.scale(undefined, columns)])]);
  }

  quantizeDynamically(value: Value): [Value, Value, Value] {
    const outputTypes = [undefined, undefined, undefined];
    const node = addNode(this.#graph, 'DynamicQuantizeLinear', { inputs: [value], outputTypes });
    return node.outputs as [Value, Value, Value];
  }
}
