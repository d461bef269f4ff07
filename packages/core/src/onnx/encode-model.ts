import type { Model, ModelFunction, OpsetImport } from '../ir/index.ts';
import { type EncodeContext, encodeAttribute, encodeEntries, encodeGraph, encodeNode } from './encode-graph.ts';
import type { PlaceExternal } from './encode-tensor.ts';
import { encodeValueInfo } from './encode-type.ts';
import { assignNames } from './names.ts';
import { originals } from './originals.ts';
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
  const functions = model.functions.map((body) => encodeFunction(body, context));
  const unknown = originals.models.get(model)?.unknown ?? [];
  encodeEntries(
    writer,
    14,
    model.metadata,
    unknown.filter(({ field }) => field < 25),
  );
  for (const encoded of functions) writer.message(25, encoded);
  encodeEntries(
    writer,
    25,
    new Map(),
    unknown.filter(({ field }) => field > 25),
  );
  return writer;
}

function encodeOpsetImport(entry: OpsetImport): MessageWriter {
  const original = originals.opsetImports.get(entry);
  if (original) return new MessageWriter().verbatim(original);
  return new MessageWriter().string(1, entry.domain).varint(2, entry.version);
}

/** FunctionProto; a function that nobody edited is written as it was. */
function encodeFunction(body: ModelFunction, context: EncodeContext): MessageWriter {
  const original = originals.functions.get(body);
  if (original && original.revision === body.body.revision) return new MessageWriter().verbatim(original.range);
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
  return writer.optionalString(13, body.overload);
}
