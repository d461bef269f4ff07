import { nearestNames } from '../foundation/index.ts';
import type { Attribute, Graph } from '../ir/index.ts';
import type { NameScope } from './name-scope.ts';
import { isFloatWord } from './names.ts';
import { parseFloatLiteral, parseInt64 } from './numbers.ts';
import { parseTensorData } from './parse-tensor.ts';
import { isType, parseType } from './parse-type.ts';
import type { Scanner, Token } from './scanner.ts';

/** Reads the graph in an attribute; `parse-graph.ts` gives it, which reads attributes in turn. */
export type ParseSubgraph = (scope: NameScope, depth: number, name?: string) => Graph;

/** Where an attribute stands. */
export interface AttributeContext {
  readonly scanner: Scanner;
  readonly scope: NameScope;
  readonly depth: number;
  readonly parseSubgraph: ParseSubgraph;
}

type Single = Extract<Attribute, { type: keyof typeof lists }>;
type Kind = Attribute['type'];

const lists = { float: 'floats', int: 'ints', string: 'strings', tensor: 'tensors', graph: 'graphs' } as const;
const singles = new Map<string, Kind>(Object.entries(lists).map(([single, list]) => [list, single as Kind]));
const unmodelled = ['sparse_tensor', 'type_proto', 'sparse_tensors', 'type_protos'];
const kinds = new Set<string>([...Object.keys(lists), ...singles.keys(), ...unmodelled, 'opaque']);

/** `name = value` or `name: type = value`. */
export function parseAttribute(context: AttributeContext): [string, Attribute] {
  const name = context.scanner.name('the name of an attribute').text;
  return [name, parseAttributeValue(context)];
}

/** What stands after the name of an attribute. */
export function parseAttributeValue(context: AttributeContext): Attribute {
  const { scanner } = context;
  const kind = scanner.accept(':') ? parseKind(scanner) : undefined;
  scanner.expect('=');
  if (scanner.accept('@')) {
    const parameter = scanner.name('the name of an attribute of the function').text;
    return { type: 'ref', parameter, of: kind ?? 'undefined' };
  }
  return scanner.is('[') ? parseList(context, kind) : checkKind(context, parseSingle(context, kind), kind);
}

function parseKind(scanner: Scanner): Kind {
  const token = scanner.identifier('the type of an attribute');
  if (unmodelled.includes(token.text)) return 'opaque';
  if (kinds.has(token.text)) return token.text as Kind;
  const [nearest] = nearestNames(token.text, kinds);
  const hint = nearest && `Did you mean "${nearest}"?`;
  throw scanner.error(token, `expected the type of an attribute, got "${token.text}"`, hint);
}

function checkKind<T extends Attribute>({ scanner }: AttributeContext, parsed: Parsed<T>, kind: Kind | undefined): T {
  const { attribute, place } = parsed;
  if (kind === undefined || kind === attribute.type) return attribute;
  throw scanner.error(place, `expected a value of type ${kind}, got one of type ${attribute.type}`);
}

interface Parsed<T extends Attribute> {
  readonly attribute: T;
  readonly place: Token;
}

/** All values of a list are of one kind; an empty one has to say which. */
function parseList(context: AttributeContext, kind: Kind | undefined): Attribute {
  const { scanner } = context;
  const place = scanner.next();
  let single = kind === undefined ? undefined : singles.get(kind);
  if (kind !== undefined && !single) throw scanner.error(place, `expected a value of type ${kind}, got a list`);
  const values: Single['value'][] = [];
  if (!scanner.is(']')) {
    do {
      const attribute = checkKind(context, parseSingle(context, single) as Parsed<Single>, single);
      single = attribute.type;
      values.push(attribute.value);
    } while (scanner.accept(','));
  }
  scanner.expect(']');
  if (single) return { type: lists[single as Single['type']], value: values } as Attribute;
  throw scanner.error(place, 'an empty list does not show its type', 'Say it, as in `axes: ints = []`.');
}

function parseSingle(context: AttributeContext, kind: Kind | undefined): Parsed<Attribute> {
  const { scanner } = context;
  const place = scanner.peek();
  switch (place.kind) {
    case 'integer':
      return { attribute: parseNumber(scanner, kind === 'float'), place };
    case 'float':
      return { attribute: parseNumber(scanner, true), place };
    case 'string':
      return { attribute: parseStringOrGraph(context, kind), place };
    case 'identifier':
      if (isType(scanner)) return { attribute: parseTensor(scanner), place };
      if (isFloatWord(place.text)) return { attribute: parseNumber(scanner, true), place };
      return { attribute: parseGraph(context), place };
    default:
      if (scanner.is('#:')) return { attribute: parseGraph(context), place };
      throw scanner.unexpected('the value of an attribute');
  }
}

function parseNumber(scanner: Scanner, isFloat: boolean): Attribute {
  const token = scanner.next();
  const value = isFloat ? parseFloatLiteral(token.text, true) : parseInt64(token.text);
  if (value === undefined)
    throw scanner.error(token, `${token.text} does not fit into ${isFloat ? 'a float' : 'int64'}`);
  return isFloat ? { type: 'float', value: value as number } : { type: 'int', value };
}

/** A quoted name with a signature behind it is that of a graph. */
function parseStringOrGraph(context: AttributeContext, kind: Kind | undefined): Attribute {
  const { scanner } = context;
  const token = scanner.peek();
  const value = scanner.stringOrBytes('a string');
  if (!scanner.is('(') && !scanner.is('=>')) {
    if (kind !== 'opaque') return { type: 'string', value };
    return { type: 'opaque', value: typeof value === 'string' ? new TextEncoder().encode(value) : value };
  }
  if (typeof value !== 'string') throw scanner.error(token, 'the name of a graph is not UTF-8');
  return { type: 'graph', value: context.parseSubgraph(context.scope, context.depth + 1, value) };
}

const parseGraph = ({ parseSubgraph, scope, depth }: AttributeContext): Attribute => ({
  type: 'graph',
  value: parseSubgraph(scope, depth + 1),
});

function parseTensor(scanner: Scanner): Attribute {
  const place = scanner.peek();
  const type = parseType(scanner);
  const { kind } = scanner.peek();
  const isNamed = kind === 'identifier' || kind === 'string';
  if (isNamed) scanner.name('the name of a tensor');
  if (scanner.accept('=') || isNamed || scanner.is('{')) {
    return { type: 'tensor', value: parseTensorData(scanner, type, place) };
  }
  throw scanner.error(
    place,
    'attributes that hold a type cannot be written as text',
    'Give a tensor its data: float[2] {1,2}.',
  );
}
