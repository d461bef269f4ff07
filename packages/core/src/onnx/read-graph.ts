import { quote } from '../foundation/index.ts';
import { formatType, type Graph, type Tensor, type Value, type ValueType } from '../ir/index.ts';
import { costs } from './limits.ts';
import { originals, type UnknownField, type ValueInfoRecord } from './originals.ts';
import type { ReadContext } from './read-context.ts';
import { readNode } from './read-node.ts';
import { readSparseTensor } from './read-sparse.ts';
import { type NamedTensor, readTensor } from './read-tensor.ts';
import { readType } from './read-type.ts';
import { Scope } from './scope.ts';
import type { Range } from './wire-reader.ts';

/** What a GraphProto holds, as ranges, so that nodes can be built when names are known. */
interface Contents {
  readonly nodes: Range[];
  readonly inputs: Range[];
  readonly outputs: Range[];
  readonly valueInfo: Range[];
  readonly initializers: Range[];
  readonly sparse: Range[];
  readonly unknown: UnknownField[];
}

interface ValueInfo {
  readonly name: string;
  readonly type: ValueType | undefined;
  readonly docString: string | undefined;
}

/** GraphProto from one or more encoded pieces (protobuf merges a message that is split). */
export function readGraph(
  context: ReadContext,
  pieces: readonly Range[],
  graph: Graph,
  outer: Scope | undefined,
  depth: number,
): Graph {
  const { reader, budget } = context;
  budget.spend(costs.graph);
  // A graph sits in an attribute, in a node, in a graph: three messages a level.
  budget.depth(depth * 3);
  const scope = new Scope(context.file, outer);
  const after = reader.position;
  const contents = readContents(context, pieces, graph);
  const inputs = readInputs(context, contents, graph, scope);
  readInitializers(context, contents, graph, scope);
  readNodes(context, contents.nodes, graph, scope, depth);
  const outputs = readOutputs(context, contents, graph, scope, depth);
  const valueInfo = readValueInfos(context, contents.valueInfo, scope);
  originals.graphs.set(graph, { inputs, outputs, valueInfo, unknown: contents.unknown });
  reader.position = after;
  return graph;
}

/** Nodes in file order. @throws E_MODEL_INVALID when one reads what is not defined before it */
export function readNodes(
  context: ReadContext,
  ranges: readonly Range[],
  graph: Graph,
  scope: Scope,
  depth: number,
): void {
  for (let index = 0; index < ranges.length; index++) graph.append(readNode(context, ranges, index, scope, depth));
}

/** Types of inner values, put on the values that exist. */
export function readValueInfos(context: ReadContext, ranges: readonly Range[], scope: Scope): ValueInfoRecord[] {
  return ranges.map((range) => {
    const { name, type, docString } = readValueInfo(context, range);
    const value = scope.own(name);
    const isInner = value?.origin.kind === 'output' && !value.isGraphOutput;
    if (value && isInner && !value.type) value.type = type;
    if (value && isInner) value.docString ??= docString;
    return { range, name, type: value ? value.type : type, value };
  });
}

function readContents(context: ReadContext, pieces: readonly Range[], graph: Graph): Contents {
  const contents: Contents = {
    nodes: [],
    inputs: [],
    outputs: [],
    valueInfo: [],
    initializers: [],
    sparse: [],
    unknown: [],
  };
  for (const { offset, byteLength } of pieces) {
    context.reader.position = offset;
    const end = offset + byteLength;
    while (context.reader.next(end)) readField(context, end, graph, contents);
  }
  return contents;
}

function readField(context: ReadContext, end: number, graph: Graph, contents: Contents): void {
  const { reader } = context;
  switch (reader.field) {
    case 1:
      contents.nodes.push(context.range(end));
      break;
    case 2:
      graph.name = reader.string(end);
      break;
    case 5:
      contents.initializers.push(context.range(end));
      break;
    case 10:
      graph.docString = reader.string(end);
      break;
    case 11:
      contents.inputs.push(context.range(end));
      break;
    case 12:
      contents.outputs.push(context.range(end));
      break;
    case 13:
      contents.valueInfo.push(context.range(end));
      break;
    case 16:
      context.metadata(end, graph.metadata);
      break;
    case 15:
      contents.sparse.push(context.range(end));
      break;
    default:
      context.budget.spend(costs.range);
      contents.unknown.push({ field: reader.field, range: reader.skip(end) });
  }
}

function readInputs(context: ReadContext, contents: Contents, graph: Graph, scope: Scope): ValueInfoRecord[] {
  return contents.inputs.map((range) => {
    const { name, type, docString } = readValueInfo(context, range);
    if (name === '') throw context.invalid(`a graph input at byte ${range.offset} has no name`);
    const value = scope.declare(name);
    value.type = type;
    value.docString = docString;
    graph.addInput(value);
    return { range, name, type, value };
  });
}

function readInitializers(context: ReadContext, contents: Contents, graph: Graph, scope: Scope): void {
  for (const range of contents.initializers) addInitializer(context, readTensor(context, [range]), range, graph, scope);
  for (const range of contents.sparse) addInitializer(context, readSparseTensor(context, range), range, graph, scope);
}

function addInitializer(
  context: ReadContext,
  { tensor, name }: NamedTensor,
  { offset }: Range,
  graph: Graph,
  scope: Scope,
): void {
  if (!name) throw context.invalid(`an initializer at byte ${offset} has no name`);
  const input = scope.own(name);
  if (input && graph.initializers.has(input)) throw context.invalid(`there are two initializers ${quote(name)}`);
  if (input && !agrees(input, tensor)) {
    const data = `${tensor.elementType}[${tensor.dims}]`;
    throw context.invalid(`input ${quote(name)} is ${formatType(input.type)}, but its initializer is ${data}`);
  }
  context.budget.spend(costs.value);
  graph.addInitializer(tensor, name, input ?? scope.declare(name));
}

/** The type of an input holds for its default as well. */
function agrees({ type }: Value, { elementType, dims }: Tensor): boolean {
  if (!type) return true;
  if (type.kind !== 'tensor' || (type.elementType ?? elementType) !== elementType) return false;
  const { shape } = type;
  if (!shape) return true;
  return shape.length === dims.length && shape.every((dim, axis) => typeof dim !== 'number' || dim === dims[axis]);
}

function readOutputs(
  context: ReadContext,
  contents: Contents,
  graph: Graph,
  scope: Scope,
  depth: number,
): ValueInfoRecord[] {
  return contents.outputs.map((range) => {
    const { name, type, docString } = readValueInfo(context, range);
    const value = scope.lookUp(name);
    if (!value) throw context.invalid(`graph output ${quote(name)} is made by no node`, undefined, { output: name });
    if (value.isGraphOutput && depth === 1) throw context.invalid(`graph output ${quote(name)} is there twice`);
    // A value of a graph around this one has its type from there.
    if (scope.own(name)) describe(value, type, docString);
    graph.addOutput(value);
    return { range, name, type: value.type, value };
  });
}

function describe(value: Value, type: ValueType | undefined, docString: string | undefined): void {
  if (!value.type) value.type = type;
  value.docString ??= docString;
}

function readValueInfo(context: ReadContext, range: Range): ValueInfo {
  const { reader, budget } = context;
  reader.position = range.offset;
  const end = range.offset + range.byteLength;
  budget.spend(costs.value);
  let name = '';
  let type: ValueType | undefined;
  let docString: string | undefined;
  while (reader.next(end)) {
    if (reader.field === 1) name = reader.name(end);
    else if (reader.field === 2) type = readType(context, reader.nested(end), 4, type);
    else if (reader.field === 3) docString = reader.string(end);
    else reader.skip(end);
  }
  return { name, type, docString };
}
