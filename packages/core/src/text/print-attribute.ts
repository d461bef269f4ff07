import type { Attribute, Graph, Tensor } from '../ir/index.ts';
import { printName } from './names.ts';
import { printFloatLiteral } from './numbers.ts';
import { type PrintContext, printTensorData, printTensorType } from './print-context.ts';
import { quote } from './strings.ts';

/** What only the caller knows: how a graph looks here, and from what an elided tensor is seeded. */
export interface AttributePlace {
  readonly context: PrintContext;
  readonly seed: string;
  graph(graph: Graph): string;
}

/**
 * `name = value`. The type is only said where the value does not show it: empty lists, references, and `opaque`, our
 * word for the encoded bytes of kinds that the IR does not model.
 */
export function printAttribute(name: string, attribute: Attribute, place: AttributePlace): string {
  const kind = annotationOf(attribute);
  return `${printName(name)}${kind ? `: ${kind}` : ''} = ${printValue(attribute, place)}`;
}

function annotationOf(attribute: Attribute): string | undefined {
  if (attribute.type === 'ref') return attribute.of === 'undefined' ? undefined : attribute.of;
  if (attribute.type === 'opaque') return 'opaque';
  return Array.isArray(attribute.value) && attribute.value.length === 0 ? attribute.type : undefined;
}

function printValue(attribute: Attribute, place: AttributePlace): string {
  switch (attribute.type) {
    case 'float':
      return printFloatLiteral(attribute.value);
    case 'int':
      return String(attribute.value);
    case 'string':
    case 'opaque':
      return quote(attribute.value);
    case 'tensor':
      return printTensor(attribute.value, place.seed, place);
    case 'graph':
      return place.graph(attribute.value);
    case 'floats':
      return printList(attribute.value, printFloatLiteral);
    case 'ints':
      return printList(attribute.value, String);
    case 'strings':
      return printList(attribute.value, quote);
    case 'tensors':
      return printList(attribute.value, (tensor, index) => printTensor(tensor, `${place.seed}.${index}`, place));
    case 'graphs':
      return printList(attribute.value, (graph) => place.graph(graph));
    case 'ref':
      return `@${printName(attribute.parameter)}`;
  }
}

const printList = <T>(values: readonly T[], print: (value: T, index: number) => string): string =>
  `[${values.map((value, index) => print(value, index)).join(', ')}]`;

/** The equals sign keeps `["elided": ...]` from being read as dims. */
const printTensor = (tensor: Tensor, seed: string, { context }: AttributePlace): string => {
  const data = printTensorData(tensor, seed, context);
  return `${printTensorType(tensor)} ${data.startsWith('[') ? '= ' : ''}${data}`;
};
