import { quote } from '../foundation/index.ts';
import { type Attribute, Node, type Value } from '../ir/index.ts';
import { explainMissing } from './explain-missing.ts';
import { costs } from './limits.ts';
import { originals } from './originals.ts';
import { readAttribute } from './read-attribute.ts';
import { type ReadContext, within } from './read-context.ts';
import type { Scope } from './scope.ts';
import type { Range } from './wire-reader.ts';

interface Fields {
  readonly inputs: string[];
  readonly outputs: string[];
  readonly attributes: Map<string, Attribute>;
  readonly metadata: Map<string, string>;
  readonly unknown: Range[];
  op: string;
  name: string | undefined;
  domain: string | undefined;
  overload: string | undefined;
  docString: string | undefined;
}

/**
 * The node of `siblings[index]`.
 * @throws E_MODEL_INVALID when it reads what is not defined before it, or defines what is there already
 */
export function readNode(
  context: ReadContext,
  siblings: readonly Range[],
  index: number,
  scope: Scope,
  depth: number,
): Node {
  const { reader, budget } = context;
  const { offset, byteLength } = siblings[index] as Range;
  const end = offset + byteLength;
  const fields = emptyFields();
  budget.spend(costs.node);
  reader.position = offset;
  try {
    while (reader.next(end)) readField(context, end, fields, scope, depth);
    if (fields.op === '') throw context.invalid('it has no operator');
    const inputs = fields.inputs.map((name) => read(context, name, scope, siblings, index));
    budget.spend(fields.outputs.length * costs.value);
    const outputs = fields.outputs.map((name) => (name === '' ? undefined : scope.declare(name)));
    return makeNode(fields, inputs, outputs);
  } catch (error) {
    const name = fields.name ? ` ${quote(fields.name)}` : '';
    const place = `node ${fields.op ? quote(fields.op).slice(1, -1) : 'without operator'}${name} (number ${index} at byte ${offset})`;
    throw within(error, context.file, place, { node: fields.name ?? '', op: fields.op, nodeIndex: index });
  }
}

const emptyFields = (): Fields => ({
  inputs: [],
  outputs: [],
  attributes: new Map(),
  metadata: new Map(),
  unknown: [],
  op: '',
  name: undefined,
  domain: undefined,
  overload: undefined,
  docString: undefined,
});

function makeNode(fields: Fields, inputs: (Value | undefined)[], outputs: (Value | undefined)[]): Node {
  const { op, name, docString, domain, overload, attributes, metadata, unknown } = fields;
  const node = new Node(op, {
    // `ai.onnx` is another spelling of the standard domain; passes only know the short one.
    domain: domain === 'ai.onnx' ? '' : (domain ?? ''),
    name,
    docString,
    attributes,
    metadata,
    ...(overload !== undefined && { overload }),
    inputs,
    outputs,
  });
  const records = originals.entries.get(metadata);
  if (records) originals.entries.set(node.metadata, records);
  originals.nodes.set(node, { domain, unknown });
  return node;
}

function readField(context: ReadContext, end: number, fields: Fields, scope: Scope, depth: number): void {
  const { reader } = context;
  switch (reader.field) {
    case 1:
      fields.inputs.push(name(context, end));
      break;
    case 2:
      fields.outputs.push(name(context, end));
      break;
    case 3:
      fields.name = name(context, end);
      break;
    case 4:
      fields.op = name(context, end);
      break;
    case 5:
      addAttribute(context, end, fields, scope, depth);
      break;
    case 6:
      fields.docString = reader.string(end);
      break;
    case 7:
      fields.domain = name(context, end);
      break;
    case 8:
      fields.overload = name(context, end);
      break;
    case 9:
      context.metadata(end, fields.metadata);
      break;
    default:
      context.budget.spend(costs.range);
      fields.unknown.push(reader.skip(end));
  }
}

function name({ reader, budget }: ReadContext, end: number): string {
  budget.spend(costs.string);
  return reader.name(end);
}

function addAttribute(context: ReadContext, end: number, fields: Fields, scope: Scope, depth: number): void {
  const [name, attribute] = readAttribute(context, context.range(end), scope, depth);
  if (fields.attributes.has(name)) throw context.invalid(`attribute ${quote(name)} is there twice`);
  fields.attributes.set(name, attribute);
}

function read(
  context: ReadContext,
  name: string,
  scope: Scope,
  siblings: readonly Range[],
  index: number,
): Value | undefined {
  if (name === '') return undefined;
  const value = scope.lookUp(name);
  if (value) return value;
  const { what, hint } = explainMissing(context.reader, siblings, index, name);
  throw context.invalid(`it reads ${quote(name)}, ${what}`, hint, { value: name });
}
