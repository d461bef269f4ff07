import type { Diagnostic } from '../foundation/index.ts';
import { byteLengthOf } from './element-type.ts';
import type { Graph } from './graph.ts';
import type { Model } from './model.ts';
import type { Node } from './node.ts';
import { rootsOf, type Survey, surveyModel } from './survey.ts';
import type { Tensor } from './tensor.ts';
import type { Use, Value } from './value.ts';

interface Finding {
  readonly message: string;
  readonly at: string;
}

/** One thing that holds for every sound model. */
export interface Invariant {
  /** Kebab-case; the `rule` of its diagnostics. */
  readonly name: string;
  check(survey: Survey): Iterable<Finding>;
}

/** What every edit keeps. */
export const invariants: readonly Invariant[] = [
  { name: 'node-list', check: checkNodeLists },
  { name: 'subgraph-owner', check: checkOwners },
  { name: 'single-origin', check: checkSingleOrigin },
  { name: 'origin-link', check: checkOrigins },
  { name: 'use-link', check: checkUses },
  { name: 'no-detached-read', check: checkDetachedReads },
  { name: 'defined-before-use', check: checkOrder },
  { name: 'initializer-type', check: checkInitializerTypes },
  { name: 'tensor-bytes', check: checkTensorBytes },
  { name: 'public-names', check: checkPublicNames },
  { name: 'function-names', check: checkFunctionNames },
];

/**
 * Checks every invariant of the IR on the main graph, function bodies and all graphs inside them. An empty list means
 * that the model is sound; everything else is a bug of the code that edited it. O(nodes + edges).
 */
export function verify(model: Model): Diagnostic[] {
  const survey = surveyModel(model);
  return invariants.flatMap(({ name, check }) =>
    [...check(survey)].map(({ message, at }): Diagnostic => ({ severity: 'error', rule: name, message, at })),
  );
}

const describeNode = (node: Node): string => `node ${node.op} "${node.name ?? node.outputs[0]?.name ?? ''}"`;
const describeValue = (value: Value): string => `value "${value.name ?? ''}"`;
const describeGraph = (graph: Graph): string => `graph "${graph.name ?? ''}"`;

function* checkNodeLists({ graphs }: Survey): Iterable<Finding> {
  for (const { graph, nodes } of graphs.values()) {
    const at = describeGraph(graph);
    if (nodes.length !== graph.nodeCount)
      yield { message: `nodeCount is ${graph.nodeCount}, but ${nodes.length} nodes are linked`, at };
    for (const [index, node] of nodes.entries()) {
      if (node.graph !== graph) yield { message: `is linked into ${at}, but says otherwise`, at: describeNode(node) };
      if (node.previous !== nodes[index - 1] || node.next !== nodes[index + 1])
        yield { message: `links of ${at} do not lead to it and on both ways`, at: describeNode(node) };
    }
  }
}

function* checkOwners({ graphs, shared }: Survey): Iterable<Finding> {
  for (const { graph, holder } of graphs.values()) {
    if (graph.owner === holder) continue;
    const owner = graph.owner ? describeNode(graph.owner) : 'no node';
    yield {
      message: `sits in ${holder ? describeNode(holder) : 'the model'}, owner is ${owner}`,
      at: describeGraph(graph),
    };
  }
  for (const { graph } of shared) yield { message: 'sits in more than one place', at: describeGraph(graph) };
}

/** Where a value is made; an input that is also an initializer of the same graph is made once. */
function* madeValues({
  graphs,
}: Survey): Iterable<{ value: Value; node: Node | undefined; index: number; graph: Graph }> {
  for (const { graph, nodes } of graphs.values()) {
    for (const value of new Set([...graph.inputs, ...graph.initializers]))
      yield { value, node: undefined, index: graph.inputs.indexOf(value), graph };
    for (const node of nodes)
      for (const [index, value] of node.outputs.entries()) if (value) yield { value, node, index, graph };
  }
}

function* checkSingleOrigin(survey: Survey): Iterable<Finding> {
  const made = new Set<Value>();
  for (const { value, node, graph } of madeValues(survey)) {
    if (made.has(value)) yield { message: 'comes from two places', at: describeValue(value) };
    made.add(value);
    if (!node && graph.inputs.indexOf(value) !== graph.inputs.lastIndexOf(value))
      yield { message: 'is an input twice', at: describeValue(value) };
  }
}

function* checkOrigins(survey: Survey): Iterable<Finding> {
  for (const { value, node, index, graph } of madeValues(survey)) {
    const { origin } = value;
    const isRight = node
      ? origin.kind === 'output' && origin.node === node && origin.index === index
      : isGraphOrigin(value, graph, index >= 0);
    const place = node ? `output ${index} of ${describeNode(node)}` : describeGraph(graph);
    if (!isRight)
      yield { message: `is made by ${place}, but its origin says ${origin.kind}`, at: describeValue(value) };
  }
}

function isGraphOrigin(value: Value, graph: Graph, isInput: boolean): boolean {
  const { origin } = value;
  const isInitializer = graph.initializers.has(value);
  if (!isInput) return origin.kind === 'initializer' && origin.graph === graph;
  return origin.kind === 'input' && origin.graph === graph && isInitializer === (origin.fallback !== undefined);
}

function* checkUses(survey: Survey): Iterable<Finding> {
  const values = new Set<Value>(survey.reads.keys());
  for (const { value } of madeValues(survey)) values.add(value);
  for (const value of values) {
    const places = new Map<Node | Graph, Set<number>>();
    let listed = 0;
    for (const use of value.uses) {
      const place = use.kind === 'input' ? use.node : use.graph;
      const indices = places.get(place) ?? new Set();
      if (!isRead(use, value, survey) || indices.has(use.index))
        yield { message: `lists a use that is not there: ${describeUse(use)}`, at: describeValue(value) };
      else listed++;
      places.set(place, indices.add(use.index));
    }
    const reads = survey.reads.get(value) ?? 0;
    if (reads !== listed) yield { message: `is read ${reads} times, but lists ${listed}`, at: describeValue(value) };
  }
}

const isRead = (use: Use, value: Value, { graphs, nodes }: Survey): boolean =>
  use.kind === 'input'
    ? nodes.has(use.node) && use.node.inputs[use.index] === value
    : graphs.has(use.graph) && use.graph.outputs[use.index] === value;

const describeUse = (use: Use): string =>
  use.kind === 'input'
    ? `input ${use.index} of ${describeNode(use.node)}`
    : `output ${use.index} of ${describeGraph(use.graph)}`;

function* checkDetachedReads({ reads }: Survey): Iterable<Finding> {
  for (const value of reads.keys())
    if (value.origin.kind === 'detached')
      yield { message: 'is read, but comes from nowhere', at: describeValue(value) };
}

/** Values of the graphs around a node, and those that its own graph defined before it, are what it may read. */
function* checkOrder({ model, graphs }: Survey): Iterable<Finding> {
  const defined = new Set<Value>();
  const entered = new Set<Graph>();
  function* visit(graph: Graph): Iterable<Finding> {
    if (entered.has(graph)) return;
    entered.add(graph);
    const own: Value[] = [...graph.inputs, ...graph.initializers];
    for (const value of own) defined.add(value);
    for (const node of graphs.get(graph)?.nodes ?? []) {
      for (const value of node.inputs)
        if (value && !defined.has(value))
          yield { message: `reads ${describeValue(value)}, which is not defined before it`, at: describeNode(node) };
      for (const inner of node.subgraphs) yield* visit(inner);
      for (const value of node.outputs) if (value) own.push(value);
      for (const value of node.outputs) if (value) defined.add(value);
    }
    for (const value of graph.outputs)
      if (!defined.has(value))
        yield { message: `gives out ${describeValue(value)}, which nothing in it defines`, at: describeGraph(graph) };
    for (const value of own) defined.delete(value);
  }
  for (const graph of rootsOf(model)) yield* visit(graph);
}

const tensorOfValue = ({ origin }: Value): Tensor | undefined =>
  origin.kind === 'initializer' ? origin.tensor : origin.kind === 'input' ? origin.fallback : undefined;

function* checkInitializerTypes({ graphs }: Survey): Iterable<Finding> {
  for (const graph of graphs.keys()) {
    for (const value of graph.initializers) {
      const tensor = tensorOfValue(value);
      if (!tensor || !value.type || agrees(value, tensor)) continue;
      yield {
        message: `its type is not that of its ${tensor.elementType}[${tensor.dims}] data`,
        at: describeValue(value),
      };
    }
  }
}

function agrees({ type }: Value, { elementType, dims }: Tensor): boolean {
  if (type?.kind !== 'tensor' || (type.elementType ?? elementType) !== elementType) return false;
  const { shape } = type;
  if (!shape) return true;
  return shape.length === dims.length && shape.every((dim, axis) => typeof dim !== 'number' || dim === dims[axis]);
}

function* checkTensorBytes({ graphs, nodes }: Survey): Iterable<Finding> {
  for (const graph of graphs.keys())
    for (const value of graph.initializers) yield* checkTensor(tensorOfValue(value), describeValue(value));
  for (const node of nodes) {
    for (const [name, attribute] of node.attributes) {
      const at = `attribute "${name}" of ${describeNode(node)}`;
      if (attribute.type === 'tensor') yield* checkTensor(attribute.value, at);
      if (attribute.type === 'tensors') for (const tensor of attribute.value) yield* checkTensor(tensor, at);
    }
  }
}

function* checkTensor(tensor: Tensor | undefined, at: string): Iterable<Finding> {
  if (!tensor) return yield { message: 'is an initializer without data', at };
  const { backing, elementType, dims } = tensor;
  const [expected, actual] =
    backing.kind === 'strings'
      ? [tensor.elementCount, backing.values.length]
      : [byteLengthOf(elementType, dims), tensor.byteLength];
  if (expected !== actual) yield { message: `${elementType}[${dims}] needs ${expected}, but has ${actual}`, at };
  if (backing.kind === 'range' && backing.offset + backing.byteLength > backing.source.byteLength)
    yield { message: `its data ends past the end of ${backing.source.name}`, at };
}

/** Two inputs, or an input and an output, may share a name only where they are the same value. */
function* checkPublicNames({ graphs }: Survey): Iterable<Finding> {
  for (const graph of graphs.keys()) {
    const named = new Map<string, Value>();
    for (const value of new Set([...graph.inputs, ...graph.outputs])) {
      if (!value.name) continue;
      if (named.has(value.name))
        yield { message: `two inputs or outputs of ${describeGraph(graph)} have its name`, at: describeValue(value) };
      named.set(value.name, value);
    }
  }
}

function* checkFunctionNames({ model }: Survey): Iterable<Finding> {
  const named = new Set<string>();
  for (const { domain, name, overload } of model.functions) {
    const key = JSON.stringify([domain, name, overload ?? '']);
    if (named.has(key)) yield { message: 'two functions have its name', at: `function "${domain}.${name}"` };
    named.add(key);
  }
}
