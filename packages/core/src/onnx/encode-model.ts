import { assignNames, type Model, type ModelFunction, type OpsetImport } from '../ir/index.ts';
import { type EncodeContext, encodeAttribute, encodeEntries, encodeGraph, encodeNode } from './encode-graph.ts';
import { encodeUnknown, type PlaceExternal } from './encode-tensor.ts';
import { encodeValueInfo } from './encode-type.ts';
import { originals, type UnknownField } from './originals.ts';
import { MessageWriter } from './wire-writer.ts';

/** ModelProto, fields in ascending order. Payloads are named, not read. */
export function encodeModel(model: Model, place: PlaceExternal): MessageWriter {
  const context: EncodeContext = { names: assignNames(model), place };
  const writer = new MessageWriter();
  if (model.irVersion !== undefined) writer.varint(1, model.irVersion);
  writer.optionalString(2, model.producerName).optionalString(3, model.producerVersion).optionalString(4, model.domain);
  if (model.modelVersion !== undefined) writer.varint(5, model.modelVersion);
  writer.optionalString(6, model.docString);
  writer.message(7, encodeGraph(model.graph, context));
  for (const entry of model.opsetImports) writer.message(8, encodeOpsetImport(entry));
  const unknown = originals.models.get(model)?.unknown ?? [];
  const isBefore = ({ field }: UnknownField): boolean => field < 25;
  encodeEntries(writer, 14, model.metadata, unknown.filter(isBefore));
  for (const body of model.functions) writer.message(25, encodeFunction(body, context));
  encodeUnknown(writer, unknown, 26, Number.POSITIVE_INFINITY);
  return writer;
}

function encodeOpsetImport(entry: OpsetImport): MessageWriter {
  const original = originals.opsetImports.get(entry);
  if (original) return new MessageWriter().verbatim(original);
  return new MessageWriter().string(1, entry.domain).varint(2, entry.version);
}

/** FunctionProto; one that nobody edited, and whose data is all in it, is written as it was. */
function encodeFunction(body: ModelFunction, context: EncodeContext): MessageWriter {
  const original = originals.functions.get(body);
  if (original && !original.isExternal && original.revision === body.body.revision)
    return new MessageWriter().verbatim(original.range);
  const writer = new MessageWriter().string(1, body.name);
  for (const value of body.body.inputs) writer.string(4, context.names.get(value) ?? '');
  for (const value of body.body.outputs) writer.string(5, context.names.get(value) ?? '');
  for (const name of body.attributes) writer.string(6, name);
  for (const node of body.body.nodes()) writer.message(7, encodeNode(node, context));
  writer.optionalString(8, body.body.docString);
  for (const entry of body.opsetImports) writer.message(9, encodeOpsetImport(entry));
  writer.string(10, body.domain);
  for (const [name, attribute] of body.attributeDefaults) writer.message(11, encodeAttribute(name, attribute, context));
  for (const node of body.body.nodes()) {
    for (const value of node.outputs) {
      if (value?.type) writer.message(12, encodeValueInfo(context.names.get(value) ?? '', value.type));
    }
  }
  writer.optionalString(13, body.overload);
  encodeUnknown(writer, original?.unknown ?? [], 0, Number.POSITIVE_INFINITY);
  return writer;
}
