import { assignNames, type Graph, type Model, type ModelFunction, type OpsetImport } from '../ir/index.ts';
import { printName } from './names.ts';
import { printAttribute } from './print-attribute.ts';
import { maxElementsOf, type PrintContext, type WeightsOption } from './print-context.ts';
import { printBody, printEntries, printGraph } from './print-graph.ts';
import { quote } from './strings.ts';

export interface PrintOptions {
  /** Tensors of more elements than this are printed by type, dims and name only; `'elided'` (16) by default. */
  readonly weights?: WeightsOption | undefined;
}

/**
 * The model in the textual syntax of ONNX (onnx/docs/Syntax.md), which `parseModel` reads back. Deterministic; values
 * have the names that the writer would give them. Payloads are read only of the tensors that are printed whole.
 *
 * Beyond the official syntax: `["elided": "seed"]` for large tensors, `#:` notes for documentation and metadata,
 * escapes `\n \r \t \xNN`, quoted names wherever a name stands, one literal an element for types below 8 bits. Not in
 * the text: names of tensors inside attributes, doc strings of attributes, payloads of NaN, and what the reader keeps
 * encoded (sparse initializers, quantization annotations).
 */
export function printModel(model: Model, options: PrintOptions = {}): string {
  const context: PrintContext = { names: assignNames(model), maxElements: maxElementsOf(options.weights) };
  const parts = [
    `${printHeader(modelEntries(model))}${printGraph(model.graph, context)}`,
    ...model.functions.map((body) => printFunction(body, context)),
  ];
  return `${parts.join('\n\n')}\n`;
}

type Entries = Record<string, string | undefined>;

const optional = (text: string | undefined): string | undefined => (text === undefined ? undefined : quote(text));

export function modelEntries(model: Model): Entries {
  return {
    ir_version: model.irVersion?.toString(),
    opset_import: printOpsets(model.opsetImports),
    producer_name: optional(model.producerName),
    producer_version: optional(model.producerVersion),
    domain: optional(model.domain),
    model_version: model.modelVersion?.toString(),
    doc_string: optional(model.docString),
    metadata_props: model.metadata.size > 0 ? printEntries(model.metadata) : undefined,
  };
}

export function functionEntries({ domain, overload, body, opsetImports }: ModelFunction): Entries {
  return {
    domain: domain === '' ? undefined : quote(domain),
    overload: optional(overload),
    opset_import: printOpsets(opsetImports),
    doc_string: optional(body.docString),
    metadata_props: body.metadata.size > 0 ? printEntries(body.metadata) : undefined,
  };
}

function printHeader(entries: Entries): string {
  const lines = Object.entries(entries).flatMap(([key, value]) => (value === undefined ? [] : [`  ${key}: ${value}`]));
  return lines.length > 0 ? `<\n${lines.join(',\n')}\n>\n` : '';
}

function printOpsets(imports: readonly OpsetImport[]): string | undefined {
  if (imports.length === 0) return undefined;
  return `[${imports.map(({ domain, version }) => `${quote(domain)}: ${version}`).join(', ')}]`;
}

function printFunction(definition: ModelFunction, context: PrintContext): string {
  const attributes = printFunctionAttributes(definition, context);
  const list = attributes.length > 0 ? `<${attributes.join(', ')}> ` : '';
  const head = `${printHeader(functionEntries(definition))}${printName(definition.name)}`;
  return `${head} ${list}${printBody(definition.body, context, '')}`;
}

export function printFunctionAttributes(definition: ModelFunction, context: PrintContext): string[] {
  const graph = (inner: Graph): string => printGraph(inner, context, '  ');
  const defaults = Array.from(definition.attributeDefaults, ([name, attribute]) =>
    printAttribute(name, attribute, { context, seed: `${definition.name}.${name}`, graph }),
  );
  return [...definition.attributes.map(printName), ...defaults];
}
