import { type Attribute, assignNames, type Graph, graphsOf, type Model, type Node, type Value } from '../ir/index.ts';
import { matchNodes } from './match-nodes.ts';
import { printName, printOperator } from './names.ts';
import { printAttribute } from './print-attribute.ts';
import {
  dataOf,
  maxElementsOf,
  nameOf,
  type PrintContext,
  printTensorData,
  printTensorType,
  type WeightsOption,
} from './print-context.ts';
import { printNode } from './print-graph.ts';
import { functionEntries, modelEntries, printFunctionAttributes } from './print-model.ts';
import { printType } from './print-type.ts';
import { quote } from './strings.ts';

/** One difference. Without `before` it was added, without `after` removed, with both changed. */
export interface Difference {
  /** What differs: `node`, `op`, `inputs`, `attribute axis`, `type`, `initializer`, `opset_import`, ... */
  readonly what: string;
  /** Where: the model, a graph, a node or a value, with the graphs around it. */
  readonly at: string;
  /** In the textual syntax. */
  readonly before?: string;
  readonly after?: string;
}

export interface DiffOptions {
  /** Tensors of more elements than this are compared by type and dims only; `'elided'` (16) by default. */
  readonly weights?: WeightsOption | undefined;
}

/** What is compared on one side. */
interface Side {
  readonly model: Model;
  readonly context: PrintContext;
}

/**
 * What changed from one model to another. Nodes are the same by name, operator and names of outputs, never by place:
 * an order that changed is no difference. Values go by the names that the writer gives them.
 */
export function diffModels(before: Model, after: Model, options: DiffOptions = {}): Difference[] {
  const maxElements = maxElementsOf(options.weights);
  const side = (model: Model): Side => ({ model, context: { names: assignNames(model), maxElements } });
  const [a, b] = [side(before), side(after)];
  return [
    ...diffEntries('model', entriesOf(modelEntries(before)), entriesOf(modelEntries(after))),
    ...diffGraphs('graph', before.graph, after.graph, a, b),
    ...diffFunctions(a, b),
  ];
}

type Entries = ReadonlyMap<string, string>;

const entriesOf = (record: Readonly<Record<string, string | undefined>>): Entries =>
  new Map(Object.entries(record).filter((entry): entry is [string, string] => entry[1] !== undefined));

function diffEntries(at: string, before: Entries, after: Entries): Difference[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((what) => {
    const [old, fresh] = [before.get(what), after.get(what)];
    if (old === fresh) return [];
    return [{ what, at, ...(old !== undefined && { before: old }), ...(fresh !== undefined && { after: fresh }) }];
  });
}

function diffGraphs(at: string, before: Graph, after: Graph, a: Side, b: Side): Difference[] {
  const { pairs, removed, added } = matchNodes(before, after, a.context.names, b.context.names);
  return [
    ...diffEntries(at, graphEntries(before, a), graphEntries(after, b)),
    ...diffNamed('initializer', at, initializersOf(before, a), initializersOf(after, b)),
    ...diffNamed('type', at, typesOf(before, a), typesOf(after, b)),
    ...removed.map((node) => ({ what: 'node', at, before: printNode(node, a.context) })),
    ...added.map((node) => ({ what: 'node', at, after: printNode(node, b.context) })),
    ...pairs.flatMap(([old, fresh]) => diffNodes(at, old, fresh, a, b)),
  ];
}

/** Differences of things that have a name of their own, each at its name. */
function diffNamed(what: string, at: string, before: Entries, after: Entries): Difference[] {
  return diffEntries('', before, after).map((difference) => ({
    ...difference,
    what,
    at: `${at} / ${quote(difference.what)}`,
  }));
}

const listNames = (values: readonly (Value | undefined)[], { context }: Side): string =>
  `(${values.map((value) => printName(nameOf(value, context))).join(', ')})`;

function graphEntries(graph: Graph, side: Side): Entries {
  return entriesOf({
    name: graph.name ? printName(graph.name) : undefined,
    inputs: listNames(graph.inputs, side),
    outputs: listNames(graph.outputs, side),
    ...documentation(graph),
  });
}

const documentation = ({ docString, metadata }: Graph | Node): Record<string, string | undefined> => ({
  doc_string: docString === undefined ? undefined : quote(docString),
  ...Object.fromEntries(Array.from(metadata, ([key, value]) => [`metadata ${quote(key)}`, quote(value)])),
});

function initializersOf(graph: Graph, { context }: Side): Entries {
  const data = new Map<string, string>();
  for (const value of graph.initializers) {
    const tensor = dataOf(value);
    // The seed is the same on both sides: large weights that differ in content alone are no difference.
    if (tensor) data.set(nameOf(value, context), `${printTensorType(tensor)} ${printTensorData(tensor, '', context)}`);
  }
  return data;
}

/** Types and documentation of inputs, outputs and inner values. */
function typesOf(graph: Graph, { context }: Side): Entries {
  const types = new Map<string, string>();
  const inner = [...graph.nodes()].flatMap((node) => node.outputs);
  for (const value of [...graph.inputs, ...inner, ...graph.outputs]) {
    if (!value || (!value.type && value.docString === undefined)) continue;
    const type = value.type ? printType(value.type) : '?';
    types.set(nameOf(value, context), value.docString === undefined ? type : `${type} ${quote(value.docString)}`);
  }
  return types;
}

function diffNodes(at: string, before: Node, after: Node, a: Side, b: Side): Difference[] {
  const label = before.name || nameOf(before.outputs.find(Boolean), a.context);
  const place = `${at} / ${before.op} ${quote(label)}`;
  return [
    ...diffEntries(place, nodeEntries(before, a), nodeEntries(after, b)),
    ...diffSubgraphs(place, before, after, a, b),
  ];
}

function nodeEntries(node: Node, side: Side): Entries {
  const attributes = Array.from(node.attributes, ([name, attribute]) => [
    `attribute ${printName(name)}`,
    printContent(name, attribute, side.context),
  ]);
  return entriesOf({
    name: node.name === undefined ? undefined : quote(node.name),
    op: `${printOperator(node.domain, node.op)}${node.overload ? `:${printName(node.overload)}` : ''}`,
    inputs: listNames(node.inputs, side),
    outputs: listNames(node.outputs, side),
    ...documentation(node),
    ...Object.fromEntries(attributes),
  });
}

/** Graphs stand for themselves: what is in them is compared apart. */
const printContent = (name: string, attribute: Attribute, context: PrintContext): string =>
  printAttribute(name, attribute, { context, seed: '', graph: () => '{...}' });

function diffSubgraphs(at: string, before: Node, after: Node, a: Side, b: Side): Difference[] {
  return [...before.attributes].flatMap(([name, attribute]) => {
    const other = after.attributes.get(name);
    const others = other ? graphsOf(other) : [];
    return graphsOf(attribute).flatMap((graph, index) => {
      const counterpart = others[index];
      const place = attribute.type === 'graphs' ? `${name}[${index}]` : name;
      return counterpart ? diffGraphs(`${at} / ${place}`, graph, counterpart, a, b) : [];
    });
  });
}

function diffFunctions(a: Side, b: Side): Difference[] {
  const [before, after] = [functionsOf(a.model), functionsOf(b.model)];
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((key): Difference[] => {
    const [old, fresh] = [before.get(key), after.get(key)];
    if (!old || !fresh) return [{ what: 'function', at: 'model', ...(old ? { before: key } : { after: key }) }];
    const at = `function ${key}`;
    return [
      ...diffEntries(at, functionEntriesOf(old, a), functionEntriesOf(fresh, b)),
      ...diffGraphs(at, old.body, fresh.body, a, b),
    ];
  });
}

const functionsOf = (model: Model) =>
  new Map(
    model.functions.map((definition) => {
      const { domain, name, overload } = definition;
      return [`${printOperator(domain, name)}${overload ? `:${printName(overload)}` : ''}`, definition] as const;
    }),
  );

function functionEntriesOf(definition: Model['functions'][number], { context }: Side): Entries {
  const { opset_import } = functionEntries(definition);
  const attributes = printFunctionAttributes(definition, context).sort();
  return entriesOf({ opset_import, attributes: attributes.length > 0 ? `<${attributes.join(', ')}>` : undefined });
}
