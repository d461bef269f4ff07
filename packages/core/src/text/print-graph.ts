import type { Graph, Node, Value } from '../ir/index.ts';
import { printName, printOperator } from './names.ts';
import { type AttributePlace, printAttribute } from './print-attribute.ts';
import { dataOf, nameOf, type PrintContext, printTensorData, printTensorType } from './print-context.ts';
import { printType } from './print-type.ts';
import { quote } from './strings.ts';

interface Documented {
  readonly docString?: string | undefined;
  readonly metadata?: ReadonlyMap<string, string>;
}

/** A graph with its name, from the first line (not indented) to the closing brace. */
export function printGraph(graph: Graph, context: PrintContext, indent = ''): string {
  return `${printNote(graph, indent)}${printName(graph.name ?? '')} ${printBody(graph, context, indent)}`;
}

/** `(inputs) => (outputs) <weights and types> { nodes }`, which graphs and functions have in common. */
export function printBody(graph: Graph, context: PrintContext, indent: string): string {
  const inner = `${indent}  `;
  const list = (values: readonly Value[]): string =>
    `(${values.map((value) => printValueInfo(value, context, inner)).join(', ')})`;
  const details = [...printInitializers(graph, context, inner), ...printInnerTypes(graph, context, inner)];
  const block =
    details.length > 0
      ? `\n${indent}<\n${details.map((line) => inner + line).join(',\n')}\n${indent}>\n${indent}`
      : ' ';
  const nodes = Array.from(graph.nodes(), (node) => `${inner}${printNode(node, context, inner)}\n`);
  return `${list(graph.inputs)} => ${list(graph.outputs)}${block}{\n${nodes.join('')}${indent}}`;
}

/**
 * What the official syntax has no place for, in a comment that our parser understands: `#: doc_string: "..."`. It
 * belongs to what follows on the next line.
 */
function printNote({ docString, metadata }: Documented, indent: string): string {
  const entries: string[] = [];
  if (docString !== undefined) entries.push(`doc_string: ${quote(docString)}`);
  if (metadata && metadata.size > 0) entries.push(`metadata_props: ${printEntries(metadata)}`);
  return entries.length > 0 ? `#: ${entries.join(', ')}\n${indent}` : '';
}

export const printEntries = (entries: Iterable<readonly [string, string]>): string =>
  `[${Array.from(entries, ([key, value]) => `${quote(key)}: ${quote(value)}`).join(', ')}]`;

function printValueInfo(value: Value, context: PrintContext, indent: string): string {
  const type = value.type ? `${printType(value.type)} ` : '';
  return `${printNote({ docString: value.docString }, indent)}${type}${printName(nameOf(value, context))}`;
}

/** Data of inputs stands here too: in their own place the official syntax would tie their type to the data's. */
function printInitializers(graph: Graph, context: PrintContext, indent: string): string[] {
  return Array.from(graph.initializers, (value) => {
    const tensor = dataOf(value);
    const name = nameOf(value, context);
    const note = value.origin.kind === 'initializer' ? printNote({ docString: value.docString }, indent) : '';
    const type = tensor ? `${printTensorType(tensor)} ` : '';
    return `${note}${type}${printName(name)}${tensor ? ` = ${printTensorData(tensor, name, context)}` : ''}`;
  });
}

function printInnerTypes(graph: Graph, context: PrintContext, indent: string): string[] {
  const outputs = new Set(graph.outputs);
  return Array.from(graph.nodes()).flatMap((node) =>
    node.outputs.flatMap((value) =>
      value && (value.type || value.docString !== undefined) && !outputs.has(value)
        ? [printValueInfo(value, context, indent)]
        : [],
    ),
  );
}

/** `[name] outputs = domain.Op <attributes> (inputs)`; attributes with graphs stand after the inputs. */
export function printNode(node: Node, context: PrintContext, indent = ''): string {
  const list = (values: readonly (Value | undefined)[]): string =>
    values.map((value) => printName(nameOf(value, context))).join(', ');
  const label = node.name === undefined ? '' : `[${printName(node.name)}] `;
  const overload = node.overload ? `:${printName(node.overload)}` : '';
  const head = `${printNote(node, indent)}${label}${list(node.outputs)} = ${printOperator(node.domain, node.op)}${overload}`;
  const inputs = `(${list(node.inputs)})`;
  const attributes = Array.from(node.attributes, ([name, attribute]) =>
    printAttribute(name, attribute, placeOf(name, node, context, indent)),
  );
  if (attributes.length === 0) return `${head} ${inputs}`;
  if (node.subgraphs.length === 0) return `${head} <${attributes.join(', ')}> ${inputs}`;
  return `${head} ${inputs} <\n${attributes.map((line) => `${indent}  ${line}`).join(',\n')}\n${indent}>`;
}

const placeOf = (attribute: string, node: Node, context: PrintContext, indent: string): AttributePlace => ({
  context,
  seed: `${nameOf(node.outputs[0], context)}.${attribute}`,
  graph: (graph) => printGraph(graph, context, `${indent}  `),
});
