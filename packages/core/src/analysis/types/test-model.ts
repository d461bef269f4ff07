import {
  type Attribute,
  type ElementType,
  floatAttribute,
  formatType,
  Graph,
  graphAttribute,
  int64Tensor,
  intAttribute,
  intsAttribute,
  Model,
  Node,
  stringAttribute,
  Tensor,
  tensorAttribute,
  tensorType,
  Value,
  type ValueType,
} from '../../ir/index.ts';
import { type InferOptions, inferTypes } from './infer-types.ts';

/** Attributes as plain values; a subgraph is written like the graph, and may read what is before it. */
type PlainAttribute = number | readonly number[] | string | Tensor | GraphText | Attribute;
export type PlainAttributes = Readonly<Record<string, PlainAttribute>>;

/** `Op(x, y) -> z` with attributes; an empty name leaves an input or output out. */
export type NodeText = readonly [text: string, attributes?: PlainAttributes];

export interface GraphText {
  readonly inputs?: Readonly<Record<string, string>>;
  readonly constants?: Readonly<Record<string, Tensor>>;
  readonly nodes: readonly NodeText[];
  /** Declared outputs; `''` declares no type. */
  readonly outputs?: Readonly<Record<string, string>>;
}

/** `float32[batch,3,?]`, `float32`, or nothing. */
export function typeOfText(text: string): ValueType | undefined {
  if (text === '') return undefined;
  const [element = '', dims] = text.split(/[[\]]/);
  const shape = dims === undefined ? undefined : dims.split(',').filter(Boolean).map(dimOfText);
  return tensorType(element as ElementType, shape);
}

const dimOfText = (text: string) => (text === '?' ? null : /^-?\d+$/.test(text) ? Number(text) : text);

function attributeOf(value: PlainAttribute, outer: ReadonlyMap<string, Value>): Attribute {
  if (typeof value === 'number') return Number.isInteger(value) ? intAttribute(value) : floatAttribute(value);
  if (typeof value === 'string') return stringAttribute(value);
  if (value instanceof Tensor) return tensorAttribute(value);
  if ('nodes' in value) return graphAttribute(graphOf(value, outer));
  return 'type' in value ? value : intsAttribute(value);
}

/** A graph for tests; values of `outer` can be read by their names. */
export function graphOf(text: GraphText, outer: ReadonlyMap<string, Value> = new Map()): Graph {
  const graph = new Graph('test');
  const values = new Map(outer);
  const declare = (name: string): Value => {
    const value = new Value(name, typeOfText(text.outputs?.[name] ?? ''));
    values.set(name, value);
    return value;
  };
  for (const [name, type] of Object.entries(text.inputs ?? {})) graph.addInput(declare(name)).type = typeOfText(type);
  for (const [name, tensor] of Object.entries(text.constants ?? {})) graph.addInitializer(tensor, name, declare(name));
  for (const [line, attributes = {}] of text.nodes) graph.append(nodeOf(line, attributes, values, declare));
  for (const name of Object.keys(text.outputs ?? {})) graph.addOutput(values.get(name) as Value);
  return graph;
}

function nodeOf(
  line: string,
  attributes: PlainAttributes,
  values: ReadonlyMap<string, Value>,
  declare: (name: string) => Value,
): Node {
  const [, domain = '', op = '', inputs = '', outputs = ''] = /^(?:(.+):)?(\w+)\((.*)\) -> (.*)$/.exec(line) ?? [];
  const names = (list: string): string[] => (list.trim() === '' ? [] : list.split(',').map((name) => name.trim()));
  return new Node(op, {
    domain,
    inputs: names(inputs).map((name) => values.get(name)),
    outputs: names(outputs).map((name) => (name === '' ? undefined : declare(name))),
    attributes: Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [name, attributeOf(value, values)]),
    ),
  });
}

/** A model for tests. */
export function modelOf(text: GraphText, opset = 21, domains: Readonly<Record<string, number>> = {}): Model {
  const model = new Model(graphOf(text));
  model.irVersion = 10;
  model.opsetImports = [
    { domain: '', version: opset },
    ...Object.entries(domains).map(([domain, version]) => ({ domain, version })),
  ];
  return model;
}

/** Every value of a model's main graph by its name. */
export function valuesByName(model: Model): Map<string, Value> {
  const values = [...model.graph.inputs, ...model.graph.initializers];
  for (const node of model.graph.nodes()) for (const value of node.outputs) if (value) values.push(value);
  return new Map(values.map((value) => [value.name ?? '', value]));
}

/** The inferred type of a value, by its name. */
export function inferredType(model: Model, name = 'y', options: InferOptions = {}): string {
  const value = valuesByName(model).get(name);
  return formatType(value && inferTypes(model, options).typeOf(value));
}

/** One operator: what is tried, the graph, the type of its value `y`, and the opset if it is not 21. */
export type OperatorCase = readonly [what: string, text: GraphText, expected: string, opset?: number];

/** A constant of rank 1. */
export const ints = (...values: number[]): Tensor => int64Tensor([values.length], values);
export const scalar = (value: number): Tensor => int64Tensor([], [value]);
