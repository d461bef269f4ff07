import { internalError, MemorySource } from '../foundation/index.ts';
import { type Attribute, type Graph, graphsOf, type Node, type Tensor, type Value } from '../ir/index.ts';
import { codeOfKind } from './attribute-kinds.ts';
import { encodeTensor, encodeUnknown, type PlaceExternal } from './encode-tensor.ts';
import { encodeValueInfo } from './encode-type.ts';
import { originals, type UnknownField, type ValueInfoRecord } from './originals.ts';
import { type Range, WireReader } from './wire-reader.ts';
import { MessageWriter } from './wire-writer.ts';

export interface EncodeContext {
  readonly names: ReadonlyMap<Value, string>;
  readonly place: PlaceExternal;
}

/** GraphProto, fields in ascending order. */
export function encodeGraph(graph: Graph, context: EncodeContext): MessageWriter {
  const facts = originals.graphs.get(graph);
  const writer = new MessageWriter();
  for (const node of graph.nodes()) writer.message(1, encodeNode(node, context));
  writer.optionalString(2, graph.name);
  const { dense, sparse } = splitInitializers(graph, context);
  for (const [name, tensor] of dense) writer.message(5, encodeTensor(tensor, name, context.place));
  writer.optionalString(10, graph.docString);
  encodeInfos(writer, 11, graph.inputs, facts?.inputs ?? [], context);
  encodeInfos(writer, 12, graph.outputs, facts?.outputs ?? [], context);
  encodeInnerInfos(writer, graph, facts?.valueInfo ?? [], context);
  const unknown = facts?.unknown ?? [];
  encodeUnknown(writer, unknown, 0, 15);
  for (const range of sparse) writer.message(15, new MessageWriter().verbatim(range));
  const isAfter = ({ field }: UnknownField): boolean => field > 15;
  encodeEntries(writer, 16, graph.metadata, unknown.filter(isAfter));
  return writer;
}

/** Initializers by name; those that are sparse in the file stay so while their name stays. */
function splitInitializers(
  graph: Graph,
  context: EncodeContext,
): { readonly dense: [string, Tensor][]; readonly sparse: Range[] } {
  const dense: [string, Tensor][] = [];
  const sparse: Range[] = [];
  for (const value of graph.initializers) {
    const tensor = tensorOf(value);
    const name = nameOf(value, context);
    const original = originals.sparse.get(tensor);
    if (original?.name === name) sparse.push(original.range);
    else dense.push([name, tensor]);
  }
  return { dense, sparse };
}

function tensorOf(value: Value): Tensor {
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

/** Metadata, each entry that still says the same as it was, with the fields that are not modelled around it. */
export function encodeEntries(
  writer: MessageWriter,
  field: number,
  entries: ReadonlyMap<string, string>,
  unknown: readonly UnknownField[],
): void {
  const records = originals.entries.get(entries);
  encodeUnknown(writer, unknown, 0, field);
  for (const [key, value] of entries) {
    const record = records?.get(key);
    const isSame = record !== undefined && record.value === value;
    const entry = isSame
      ? new MessageWriter().verbatim(record.range)
      : new MessageWriter().string(1, key).string(2, value);
    writer.message(field, entry);
  }
  encodeUnknown(writer, unknown, field + 1, Number.POSITIVE_INFINITY);
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
  // The spelling of the file (an explicit '', `ai.onnx`) stays; a node's domain never changes.
  writer.optionalString(7, facts ? facts.domain : node.domain || undefined);
  writer.optionalString(8, node.overload);
  encodeEntries(
    writer,
    9,
    node.metadata,
    (facts?.unknown ?? []).map((range) => ({ field: 10, range })),
  );
  return writer;
}

/** AttributeProto; one that was read is written as it was, but for graphs and for tensors whose data lies elsewhere. */
export function encodeAttribute(name: string, attribute: Attribute, context: EncodeContext): MessageWriter {
  const original = originals.attributes.get(attribute);
  const isWhole = original && original.name === name && !original.isExternal && graphsOf(attribute).length === 0;
  if (isWhole) return new MessageWriter().verbatim(original.range);
  if (attribute.type === 'opaque') return encodeOpaque(name, attribute.value);
  const writer = new MessageWriter().string(1, name);
  encodeContent(writer, attribute, context);
  writer.optionalString(13, original?.docString);
  const unknown = original?.unknown ?? [];
  encodeUnknown(writer, unknown, 0, 20);
  const kind = codeOfKind(attribute.type === 'ref' ? attribute.of : attribute.type);
  if ((original?.hasType ?? true) && kind !== undefined) writer.varint(20, kind);
  if (attribute.type === 'ref') writer.string(21, attribute.parameter);
  encodeUnknown(writer, unknown, 21, Number.POSITIVE_INFINITY);
  return writer;
}

/** Its bytes are a whole AttributeProto, which is written as it is, but for a name that is another by now. */
function encodeOpaque(name: string, bytes: Uint8Array): MessageWriter {
  const source = new MemorySource(bytes, `attribute "${name}"`);
  const { byteLength } = bytes;
  const reader = new WireReader(source);
  const others: Range[] = [];
  let ownName: string | undefined;
  while (reader.next(byteLength)) {
    if (reader.field === 1) ownName = reader.name(byteLength);
    else others.push(reader.skip(byteLength));
  }
  if (ownName === name) return new MessageWriter().verbatim({ source, offset: 0, byteLength });
  const writer = new MessageWriter().string(1, name);
  for (const range of others) writer.verbatim(range);
  return writer;
}

function encodeContent(
  writer: MessageWriter,
  attribute: Exclude<Attribute, { type: 'opaque' }>,
  context: EncodeContext,
): void {
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
    case 'ref':
      break;
  }
}
