import { internalError } from '../foundation/index.ts';
import {
  type Attribute,
  addNode,
  type ElementType,
  type Graph,
  intAttribute,
  type Node,
  type Tensor,
  tensorOf,
  tensorType,
  Value,
} from '../ir/index.ts';
import type { ActivationScheme, QuantizationParameters } from '../observe/index.ts';
import type { StoredIntegers } from './weight-store.ts';

/** An activation as the plan stores it, with its parameters. */
export interface StoredActivation {
  /** Id of the activation whose parameters these are: its own, or that of the one with which it shares them. */
  readonly id: string;
  readonly scheme: ActivationScheme;
  readonly parameters: QuantizationParameters;
}

/** Integers that an operator reads in the place of a float. */
export interface Operand extends StoredIntegers {
  readonly elementType: ElementType;
  /** The axis along which there are several scales. */
  readonly axis?: number | undefined;
}

/**
 * Which values of a graph under change are integers, and by which scales. A float is quantized once for all its readers
 * in a graph. Integers are turned into float right behind what makes them, for whoever wants floats; what nobody reads
 * goes at the end.
 */
export class IntegerValues {
  readonly #stored: Map<Value, StoredActivation>;
  readonly #opset: number;
  /** The integers behind a float that was made of them. */
  readonly #integers = new Map<Value, Value>();
  readonly #quantized = new Map<Value, Map<Graph, Value>>();
  readonly #parameters = new Map<Graph, Map<StoredActivation, Pick<StoredIntegers, 'scale' | 'zeroPoint'>>>();
  readonly #dequantizers: Node[] = [];

  /** @param opset of the standard domain */
  constructor(stored: ReadonlyMap<Value, StoredActivation>, opset: number) {
    this.#stored = new Map(stored);
    this.#opset = opset;
  }

  /** True when some static node reads or gives the value as integers. */
  has(value: Value): boolean {
    return this.#stored.has(value);
  }

  storedOf(value: Value): StoredActivation {
    const stored = this.#stored.get(value);
    if (!stored)
      throw internalError(`Value "${value.name ?? ''}" is read as integers, but the plan does not store it.`);
    return stored;
  }

  /** Another value takes the place of this one, with its parameters. */
  takePlace(old: Value, fresh: Value): void {
    const stored = this.#stored.get(old);
    if (stored) this.#stored.set(fresh, stored);
  }

  /** The value as integers, for a reader. */
  operand(value: Value, reader: Node): Operand {
    const graph = graphOf(reader);
    const stored = this.storedOf(value);
    const quantized = this.#integers.get(value) ?? this.#quantizedFor(value, stored, graph, reader);
    return { quantized, elementType: stored.scheme.elementType, ...this.parametersOf(stored, graph) };
  }

  /** Scale and zero point as values of a graph. */
  parametersOf(stored: StoredActivation, graph: Graph): Pick<StoredIntegers, 'scale' | 'zeroPoint'> {
    const known = entryOf(this.#parameters, graph);
    const before = known.get(stored);
    if (before) return before;
    const { id, parameters, scheme } = stored;
    const made = {
      scale: graph.addInitializer(tensorOf('float32', [], Float32Array.of(parameters.scale)), `${id}_scale`),
      zeroPoint: graph.addInitializer(integerTensor(scheme.elementType, parameters.zeroPoint), `${id}_zero_point`),
    };
    known.set(stored, made);
    return made;
  }

  /** QuantizeLinear before a node. */
  quantize(value: Value, stored: StoredActivation, position: Node): Value {
    const graph = graphOf(position);
    const { scale, zeroPoint } = this.parametersOf(stored, graph);
    const { elementType } = stored.scheme;
    const output = new Value(value.name && `${value.name}_quantized`, integerType(elementType, value));
    const name = value.name && `${value.name}_QuantizeLinear`;
    const domain = this.#domainOf(elementType);
    addNode(graph, 'QuantizeLinear', { domain, name, inputs: [value, scale, zeroPoint], outputs: [output] }, position);
    return output;
  }

  /** DequantizeLinear before a node, for that node or for all that want floats. */
  dequantize(operand: Operand, position: Node, suffix: string): Value {
    const { quantized, scale, zeroPoint, axis, elementType } = operand;
    const attributes: Record<string, Attribute> = axis === undefined ? {} : { axis: intAttribute(axis) };
    const name = position.name && `${position.name}_${suffix}_dequantize`;
    const fields = { domain: this.#domainOf(elementType), name, inputs: [quantized, scale, zeroPoint], attributes };
    return addNode(graphOf(position), 'DequantizeLinear', fields, position).outputs[0] as Value;
  }

  /** What an operator gave, as the float that its other readers see, before `position`. */
  give(result: { readonly integers: Value } | { readonly float: Value }, old: Value, position: Node): Value {
    const stored = this.storedOf(old);
    if ('float' in result) {
      result.float.type = old.type;
      result.float.name ??= old.name && `${old.name}_float`;
    }
    const integers = 'integers' in result ? result.integers : this.quantize(result.float, stored, position);
    integers.type = integerType(stored.scheme.elementType, old);
    integers.name = old.name && `${old.name}_quantized`;
    const { elementType } = stored.scheme;
    const operand = { quantized: integers, elementType, ...this.parametersOf(stored, graphOf(position)) };
    const float = this.dequantize(operand, position, 'output');
    this.#dequantizers.push(float.producer as Node);
    this.#integers.set(float, integers);
    this.takePlace(old, float);
    return float;
  }

  /** Removes what turns integers into floats that nobody reads. */
  removeUnread(): void {
    for (const node of this.#dequantizers) if (node.outputs[0]?.uses.size === 0) node.graph?.remove(node);
  }

  #quantizedFor(value: Value, stored: StoredActivation, graph: Graph, reader: Node): Value {
    const known = this.#quantized.get(value) ?? new Map<Graph, Value>();
    this.#quantized.set(value, known);
    const quantized = known.get(graph) ?? this.quantize(value, stored, reader);
    known.set(graph, quantized);
    return quantized;
  }

  /** Scales by axis came with opset 13, 16-bit and 4-bit types with 21; before, the runtime's own operators have them. */
  #domainOf(elementType: ElementType): string {
    const isCommon = ['uint8', 'int8', 'int32'].includes(elementType);
    return this.#opset >= (isCommon ? 13 : 21) ? '' : 'com.microsoft';
  }
}

function graphOf(node: Node): Graph {
  if (!node.graph) throw internalError(`${node.op} "${node.name ?? ''}" is in no graph.`);
  return node.graph;
}

function entryOf<K, L, V>(map: Map<K, Map<L, V>>, key: K): Map<L, V> {
  const entry = map.get(key) ?? new Map<L, V>();
  map.set(key, entry);
  return entry;
}

const integerType = (elementType: ElementType, { type, shape }: Value) => type && tensorType(elementType, shape);

const arrays = { uint8: Uint8Array, int8: Int8Array, uint16: Uint16Array, int16: Int16Array } as const;

/** A scalar; two 4-bit numbers share a byte, of which the lower half is the first. */
function integerTensor(elementType: ActivationScheme['elementType'], value: number): Tensor {
  if (elementType === 'uint4' || elementType === 'int4') return tensorOf(elementType, [], Uint8Array.of(value & 0xf));
  return tensorOf(elementType, [], arrays[elementType].of(value));
}
