import {
  type Attribute,
  type Dim,
  type ElementType,
  elementTypeOfCode,
  type Graph,
  graphsOf,
  type Node,
  type Shape,
  type Tensor,
  type Value,
  type ValueType,
} from '../../ir/index.ts';
import { Contradiction } from './contradiction.ts';
import type { DimAlgebra } from './dim-algebra.ts';
import { isTensorLike } from './merge-types.ts';
import { maxRank, unknownDims } from './shapes.ts';

/** What an inference lends to the rules of operators. */
export interface Surroundings {
  /** True where Python's `onnx.shape_inference` is reproduced, with what it leaves undone. */
  readonly emulates: boolean;
  readonly algebra: DimAlgebra;
  /** Names what is unknown, as Python does for every value that it meets. */
  materialize(type: ValueType): ValueType;
  typeOf(value: Value): ValueType | undefined;
  /** Data stored in the model. */
  tensorOf(value: Value): Tensor | undefined;
  /** Data stored or propagated, as far as it is known. */
  valuesOf(value: Value): readonly Dim[] | undefined;
  /** The number that fills what a ConstantOfShape node makes. */
  fillOf(node: Node): number | undefined;
  /** False for a formal parameter that the caller of the function left out. */
  isPresent(value: Value): boolean;
  attributeOf(node: Node, name: string): Attribute | undefined;
  /** Types of a subgraph's outputs, given those of its inputs. */
  inferGraph(graph: Graph, inputs: readonly (ValueType | undefined)[]): (ValueType | undefined)[];
}

/** One node as a rule sees it: types and data of its inputs, its attributes, the version of its operator. */
export class OperatorContext {
  readonly node: Node;
  /** Opset of the node's domain. */
  readonly version: number;
  readonly surroundings: Surroundings;

  constructor(node: Node, version: number, surroundings: Surroundings) {
    this.node = node;
    this.version = version;
    this.surroundings = surroundings;
  }

  get emulates(): boolean {
    return this.surroundings.emulates;
  }

  get algebra(): DimAlgebra {
    return this.surroundings.algebra;
  }

  get inputCount(): number {
    return this.node.inputs.length;
  }

  get outputCount(): number {
    return this.node.outputs.length;
  }

  hasInput(index: number): boolean {
    const value = this.node.inputs[index];
    return value !== undefined && this.surroundings.isPresent(value);
  }

  hasOutput(index: number): boolean {
    return this.node.outputs[index] !== undefined;
  }

  type(index: number): ValueType | undefined {
    const value = this.node.inputs[index];
    return value && this.surroundings.typeOf(value);
  }

  /** The type of an input that the rule cannot do without. */
  requiredType(index: number): ValueType {
    return this.type(index) ?? this.fail(`the type of input ${index} is not known`);
  }

  shape(index: number): Shape | undefined {
    const type = this.type(index);
    return isTensorLike(type) ? type.shape : undefined;
  }

  /**
   * Element type of a tensor input. Where it is not known, Python gives the whole node up; we go on with its shape.
   * @source onnx/defs/shape_inference.cc, propagateElemTypeFromTensorInputToOutput
   */
  element(index: number): ElementType | undefined {
    const type = this.type(index);
    const element = isTensorLike(type) ? type.elementType : undefined;
    if (!element && this.emulates) this.fail(`the element type of input ${index} is not known`);
    return element;
  }

  /** Elements of an input that are all known: stored in the model, or computed from what is. */
  numbers(index: number): readonly number[] | undefined {
    const values = this.values(index);
    return values?.every((value) => typeof value === 'number') ? values : undefined;
  }

  /** Elements of an input as far as they are known; the numbers of an index or a size tensor, row by row. */
  values(index: number): readonly Dim[] | undefined {
    const value = this.node.inputs[index];
    return value && this.surroundings.valuesOf(value);
  }

  /**
   * The shape that an input tensor spells out; at least its rank, if the length of that tensor is known.
   * @source onnx/defs/shape_inference.cc, getShapeInput
   */
  shapeInput(index: number): readonly Dim[] | undefined {
    const values = this.values(index);
    if (values) return values;
    const shape = this.shape(index);
    if (!shape) return undefined;
    if (shape.length !== 1) this.fail(`the shape in input ${index} must have rank 1`);
    const rank = shape[0] as Dim;
    return typeof rank === 'number' && rank >= 0 && rank <= maxRank ? unknownDims(rank) : undefined;
  }

  attribute(name: string): Attribute | undefined {
    return this.surroundings.attributeOf(this.node, name);
  }

  has(name: string): boolean {
    return this.attribute(name) !== undefined;
  }

  int(name: string, fallback: number): number;
  int(name: string): number | undefined;
  int(name: string, fallback?: number): number | undefined {
    const attribute = this.attribute(name);
    return attribute?.type === 'int' ? Number(attribute.value) : fallback;
  }

  ints(name: string): readonly number[] | undefined {
    const attribute = this.attribute(name);
    return attribute?.type === 'ints' ? attribute.value.map(Number) : undefined;
  }

  string(name: string, fallback: string): string {
    const attribute = this.attribute(name);
    return attribute?.type === 'string' && typeof attribute.value === 'string' ? attribute.value : fallback;
  }

  /** The element type that an integer attribute names. */
  elementAttribute(name: string): ElementType | undefined {
    const code = this.int(name);
    return code === undefined
      ? undefined
      : (elementTypeOfCode(code) ?? this.fail(`${name} ${code} is no element type`));
  }

  /** Types of the outputs of the subgraph in an attribute. */
  inferGraph(name: string, inputs: readonly (ValueType | undefined)[]): (ValueType | undefined)[] {
    const attribute = this.attribute(name);
    const graph = attribute && graphsOf(attribute)[0];
    return this.surroundings.inferGraph(graph ?? this.fail(`attribute ${name} holds no graph`), inputs);
  }

  fail(reason: string): never {
    throw new Contradiction(reason);
  }
}
