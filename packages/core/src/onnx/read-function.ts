import { quote } from '../foundation/index.ts';
import { type Attribute, Graph, type ModelFunction, type OpsetImport } from '../ir/index.ts';
import { costs } from './limits.ts';
import { originals, type UnknownField } from './originals.ts';
import { readAttribute } from './read-attribute.ts';
import { type ReadContext, within } from './read-context.ts';
import { readNodes, readValueInfos } from './read-graph.ts';
import { readOpsetImport } from './read-opset.ts';
import { Scope } from './scope.ts';
import type { Range } from './wire-reader.ts';

interface Fields {
  name: string;
  domain: string;
  overload: string | undefined;
  readonly body: Graph;
  readonly nodes: Range[];
  readonly valueInfo: Range[];
  readonly inputs: string[];
  readonly outputs: string[];
  readonly attributes: string[];
  readonly attributeDefaults: Map<string, Attribute>;
  readonly opsetImports: OpsetImport[];
  readonly unknown: UnknownField[];
}

/** FunctionProto of a range. */
export function readFunction(context: ReadContext, range: Range): ModelFunction {
  const externalBefore = context.external.count;
  const scope = new Scope(context.file);
  const fields = emptyFields();
  context.budget.spend(costs.graph);
  context.isInFunction = true;
  try {
    readFields(context, range, fields, scope);
    if (fields.name === '') throw context.invalid('it has no name');
    readBody(context, fields, scope);
  } catch (error) {
    const place = `function ${quote(fields.name)} at byte ${range.offset}`;
    throw within(error, context.file, place, { function: fields.name });
  } finally {
    context.isInFunction = false;
  }
  const { name, domain, overload, body, attributes, attributeDefaults, opsetImports, unknown } = fields;
  const result: ModelFunction = { name, domain, overload, body, attributes, attributeDefaults, opsetImports };
  const isExternal = context.external.count > externalBefore;
  originals.functions.set(result, { range, revision: body.revision, isExternal, unknown });
  return result;
}

const emptyFields = (): Fields => ({
  name: '',
  domain: '',
  overload: undefined,
  body: new Graph(),
  nodes: [],
  valueInfo: [],
  inputs: [],
  outputs: [],
  attributes: [],
  attributeDefaults: new Map(),
  opsetImports: [],
  unknown: [],
});

function readFields(context: ReadContext, range: Range, fields: Fields, scope: Scope): void {
  const { reader } = context;
  const end = range.offset + range.byteLength;
  reader.position = range.offset;
  while (reader.next(end)) {
    context.budget.spend(costs.string);
    readField(context, end, fields, scope);
  }
}

function readField(context: ReadContext, end: number, fields: Fields, scope: Scope): void {
  const { reader } = context;
  switch (reader.field) {
    case 1:
      fields.name = reader.name(end);
      break;
    case 4:
      fields.inputs.push(reader.name(end));
      break;
    case 5:
      fields.outputs.push(reader.name(end));
      break;
    case 6:
      fields.attributes.push(reader.name(end));
      break;
    case 7:
      fields.nodes.push(context.range(end));
      break;
    case 8:
      fields.body.docString = reader.string(end);
      break;
    case 9:
      fields.opsetImports.push(readOpsetImport(context, context.range(end)));
      break;
    case 10:
      fields.domain = reader.name(end);
      break;
    case 11: {
      const [name, attribute] = readAttribute(context, context.range(end), scope, 1);
      if (fields.attributeDefaults.has(name)) throw context.invalid(`attribute ${quote(name)} is there twice`);
      fields.attributeDefaults.set(name, attribute);
      break;
    }
    case 12:
      fields.valueInfo.push(context.range(end));
      break;
    case 13:
      fields.overload = reader.name(end);
      break;
    default:
      fields.unknown.push({ field: reader.field, range: reader.skip(end) });
  }
}

function readBody(context: ReadContext, fields: Fields, scope: Scope): void {
  const { body } = fields;
  for (const name of fields.inputs) body.addInput(scope.declare(name));
  readNodes(context, fields.nodes, body, scope, 1);
  for (const name of fields.outputs) {
    const value = scope.own(name);
    if (!value) throw context.invalid(`its output ${quote(name)} is made by no node`);
    body.addOutput(value);
  }
  readValueInfos(context, fields.valueInfo, scope);
}
