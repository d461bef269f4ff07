import { internalError } from '../foundation/index.ts';
import { type Attribute, type Graph, graphsOf, type Node, type Value } from '../ir/index.ts';
import { encodeTensor, type PlaceExternal } from './encode-tensor.ts';
import { encodeValueInfo } from './encode-type.ts';
import { originals, type UnknownField, type ValueInfoRecord } from './originals.ts';
import { MessageWriter } from './wire-writer.ts';

export interface EncodeContext {
  readonly names: ReadonlyMap<Value, string>;
  readonly place: PlaceExternal;
}

/** @source onnx.proto, AttributeProto.AttributeType */
const kindNumbers = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
  tensors: 9,
  graphs: 10,
} as const;

/** GraphProto, fields in ascending order. */
export function encodeGraph(graph: Graph, context: EncodeContext): MessageWriter {
  const facts = originals.graphs.get(graph);
  const writer = new MessageWriter();
  for (const node of graph.nodes()) writer.message(1, encodeNode(node, context));
  writer.optionalString(2, graph.name);
  for (const value of graph.initializers)
    writer.message(5, encodeTensor(tensorOf(value), nameOf(value, context), context.place));
  writer.optionalString(10, graph.docString);
  encodeInfos(writer, 11, graph.inputs, facts?.inputs ?? [], context);
  encodeInfos(writer, 12, graph.outputs, facts?.outputs ?? [], context);
  encodeInnerInfos(writer, graph, facts?.valueInfo ?? [], context);
  encodeEntries(writer, 16, graph.metadata, facts?.unknown ?? []);
  return writer;
}

function tensorOf(value: Value) {
  const { origin } = value;
  const tensor = origin.kind === 'initializer' ? origin.tensor : origin.kind === 'input' ? origin.fallback : undefined;
  if (!tensor) throw internalError(`Initializer "${value.name ?? ''}" has no data.`);
  return tensor;
}

function nameOf(value: Value, { names }: EncodeContext): string {
  const name = names.get(value);
  if (name === undefined)
    throw internalError(`Value "${value.name ?? ''}" is read, but nothing in the model makes it.`);
  return name;
}

/** Metadata and the fields that are not modelled, the latter by ascending number around them. */
export function encodeEntries(
  writer: MessageWriter,
  field: number,
  entries: ReadonlyMap<string, string>,
  unknown: readonly UnknownField[],
): void {
  const sorted = [...unknown].sort((a, b) => a.field - b.field);
  for (const other of sorted) if (other.field < field) writer.verbatim(other.range);
  for (const [key, value] of entries) writer.message(field, new MessageWriter().string(1, key).string(2, value));
  for (const other of sorted) if (other.field > field) writer.verbatim(other.range);
}

/** Inputs or outputs; a record that still says the truth is written as it was. */
function encodeInfos(
  writer: MessageWriter,
  field: number,
  values: readonly Value[],
  records: readonly ValueInfoRecord[],
  context: EncodeContext,
): void {
  const byValue = new Map(records.map((record) => [record.value, record]));
  values.forEach((value, index) => {
    const record = records[index]?.value === value ? records[index] : byValue.get(value);
    const name = nameOf(value, context);
    const holds = record && record.name === name && record.type === value.type;
    writer.message(
      field,
      holds ? new MessageWriter().verbatim(record.range) : encodeValueInfo(name, value.type, value.docString),
    );
  });
}

/** Types of inner values: those of the file that still hold, then those that were set since. */
function encodeInnerInfos(
  writer: MessageWriter,
  graph: Graph,
  records: readonly ValueInfoRecord[],
  context: EncodeContext,
): void {
  const written = new Set<Value | undefined>();
  for (const { value, name, type, range } of records) {
    // An entry that names nothing (left behind by some exporter) says nothing about our edits: it stays.
    if (value && !isPresent(value, graph)) continue;
    written.add(value);
    if (!value || (context.names.get(value) === name && value.type === type))
      writer.message(13, new MessageWriter().verbatim(range));
    else if (value.type) writer.message(13, encodeValueInfo(nameOf(value, context), value.type, value.docString));
  }
  for (const node of graph.nodes()) {
    for (const value of node.outputs) {
      if (!value?.type || written.has(value) || value.isGraphOutput) continue;
      writer.message(13, encodeValueInfo(nameOf(value, context), value.type, value.docString));
    }
  }
}

const isPresent = (value: Value, graph: Graph): boolean => {
  const { origin } = value;
  if (origin.kind === 'output') return origin.node.graph === graph;
  return origin.kind !== 'detached' && origin.graph === graph;
};

export function encodeNode(node: Node, context: EncodeContext): MessageWriter {
  const facts = originals.nodes.get(node);
  const writer = new MessageWriter();
  for (const value of node.inputs) writer.string(1, value ? nameOf(value, context) : '');
  for (const value of node.outputs) writer.string(2, value ? nameOf(value, context) : '');
  writer.optionalString(3, node.name).string(4, node.op);
  for (const [name, attribute] of node.attributes) writer.message(5, encodeAttribute(name, attribute, context));
  writer.optionalString(6, node.docString);
  if (node.domain !== '' || facts?.hasDomain) writer.string(7, node.domain);
  writer.optionalString(8, node.overload);
  encodeEntries(
    writer,
    9,
    node.metadata,
    (facts?.unknown ?? []).map((range) => ({ field: 10, range })),
  );
  return writer;
}

/** AttributeProto; one that was read and holds no graph is written as it was. */
export function encodeAttribute(name: string, attribute: Attribute, context: EncodeContext): MessageWriter {
  const original = originals.attributes.get(attribute);
  if (original && graphsOf(attribute).length === 0) return new MessageWriter().verbatim(original.range);
  const writer = new MessageWriter().string(1, name);
  encodeContent(writer, attribute, context);
  writer.optionalString(13, original?.docString);
  const hasType = original?.hasType ?? true;
  const kind =
    attribute.type === 'ref'
      ? kindNumbers[attribute.of as keyof typeof kindNumbers]
      : kindNumbers[attribute.type as keyof typeof kindNumbers];
  if (hasType && kind !== undefined) writer.varint(20, kind);
  return attribute.type === 'ref' ? writer.string(21, attribute.parameter) : writer;
}

function encodeContent(writer: MessageWriter, attribute: Attribute, context: EncodeContext): void {
  switch (attribute.type) {
    case 'float':
      writer.float32(2, attribute.value);
      break;
    case 'int':
      writer.varint(3, attribute.value);
      break;
    case 'string':
      writer.string(4, attribute.value);
      break;
    case 'tensor':
      writer.message(5, encodeTensor(attribute.value, originals.tensors.get(attribute.value)?.name, context.place));
      break;
    case 'graph':
      writer.message(6, encodeGraph(attribute.value, context));
      break;
    case 'floats':
      for (const value of attribute.value) writer.float32(7, value);
      break;
    case 'ints':
      for (const value of attribute.value) writer.varint(8, value);
      break;
    case 'strings':
      for (const value of attribute.value) writer.string(9, value);
      break;
    case 'tensors':
      for (const tensor of attribute.value)
        writer.message(10, encodeTensor(tensor, originals.tensors.get(tensor)?.name, context.place));
      break;
    case 'graphs':
      for (const graph of attribute.value) writer.message(11, encodeGraph(graph, context));
      break;
    case 'opaque':
      throw internalError('An opaque attribute can only be written where it was read.');
    case 'ref':
      break;
  }
}
