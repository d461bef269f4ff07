import { nearestNames } from '../foundation/index.ts';
import { type Attribute, Graph, Node, Value, type ValueType } from '../ir/index.ts';
import { NameScope } from './name-scope.ts';
import { type AttributeContext, parseAttribute } from './parse-attribute.ts';
import { type Note, parseNote } from './parse-note.ts';
import { parseTensorData } from './parse-tensor.ts';
import { checkDepth, isType, parseType } from './parse-type.ts';
import type { Scanner, Token } from './scanner.ts';

/** A name with the type and documentation that a list gives it. */
interface Declaration {
  readonly token: Token;
  /** Where the type begins, or the name where there is none. */
  readonly place: Token;
  readonly type: ValueType | undefined;
  readonly note: Note;
}

/** `name (inputs) => (outputs) <weights and types> { nodes }`; a quoted name may have been read already. */
export function parseGraph(scanner: Scanner, outer: NameScope | undefined, depth: number, name?: string): Graph {
  checkDepth(scanner, depth, 'graphs');
  const note = parseNote(scanner);
  const graph = new Graph((name ?? scanner.name('the name of a graph').text) || undefined);
  graph.docString = note.docString;
  for (const [key, value] of note.metadata) graph.metadata.set(key, value);
  parseBody(scanner, graph, new NameScope(outer), depth);
  return graph;
}

/** What graphs and functions have in common. Nodes read only what is defined before them. */
export function parseBody(scanner: Scanner, graph: Graph, scope: NameScope, depth: number): void {
  if (scanner.accept('(')) parseInputs(scanner, graph, scope);
  scanner.expect('=>', 'A graph is written as name (inputs) => (outputs) { nodes }.');
  scanner.expect('(');
  const outputs = parseDeclarations(scanner, ')');
  const types = scanner.accept('<') ? parseDetails(scanner, graph, scope) : [];
  scanner.expect('{');
  while (!scanner.accept('}')) graph.append(parseNode(scanner, scope, depth));
  for (const output of outputs) {
    const value = scope.lookUp(output.token.text);
    if (!value) throw undefinedName(scanner, scope, output.token, 'is an output, but nothing makes it');
    describe(value, output);
    graph.addOutput(value);
  }
  for (const declaration of types) {
    const value = scope.own(declaration.token.text);
    if (!value) throw undefinedName(scanner, scope, declaration.token, 'has a type, but nothing here makes it');
    describe(value, declaration);
  }
}

function describe(value: Value, { type, note }: Declaration): void {
  value.type ??= type;
  value.docString ??= note.docString;
}

function undefinedName(scanner: Scanner, scope: NameScope, token: Token, what: string) {
  const [nearest] = nearestNames(token.text, scope.names(), 1);
  return scanner.error(
    token,
    `"${token.text}" ${what}`,
    nearest === undefined ? undefined : `Did you mean "${nearest}"?`,
  );
}

function parseDeclaration(scanner: Scanner): Declaration {
  const note = parseNote(scanner);
  const place = scanner.peek();
  const type = isType(scanner) ? parseType(scanner) : undefined;
  return { place, type, token: scanner.name(type ? 'a name' : 'a type or a name'), note };
}

function parseDeclarations(scanner: Scanner, close: string): Declaration[] {
  const declarations: Declaration[] = [];
  if (scanner.accept(close)) return declarations;
  do declarations.push(parseDeclaration(scanner));
  while (scanner.accept(','));
  scanner.expect(close);
  return declarations;
}

function define(scanner: Scanner, scope: NameScope, token: Token): Value {
  const { text } = token;
  const value = new Value(text);
  if (scope.define(text, value)) return value;
  throw scanner.error(token, `the name "${text}" is given to two values`, 'Every value of a graph has its own name.');
}

function parseInputs(scanner: Scanner, graph: Graph, scope: NameScope): void {
  if (scanner.accept(')')) return;
  do {
    const declaration = parseDeclaration(scanner);
    const value = define(scanner, scope, declaration.token);
    describe(value, declaration);
    graph.addInput(value);
    if (scanner.accept('=')) addData(scanner, graph, declaration, value);
  } while (scanner.accept(','));
  scanner.expect(')');
}

function addData(scanner: Scanner, graph: Graph, { type, place, token }: Declaration, value: Value): void {
  if (!type) throw scanner.error(place, `"${token.text}" has data, but no type`, 'As in float[2] W = {1,2}.');
  graph.addInitializer(parseTensorData(scanner, type, place), undefined, value);
}

/** Weights, and the types of inner values, whose names are known only after the nodes. */
function parseDetails(scanner: Scanner, graph: Graph, scope: NameScope): Declaration[] {
  const types: Declaration[] = [];
  if (scanner.accept('>')) return types;
  do {
    const declaration = parseDeclaration(scanner);
    if (!scanner.accept('=')) types.push(declaration);
    else {
      const input = scope.own(declaration.token.text);
      const isFree = input?.origin.kind === 'input' && !graph.initializers.has(input);
      const value = isFree ? input : define(scanner, scope, declaration.token);
      value.docString ??= declaration.note.docString;
      addData(scanner, graph, declaration, value);
    }
  } while (scanner.accept(','));
  scanner.expect('>');
  return types;
}

function parseNode(scanner: Scanner, scope: NameScope, depth: number): Node {
  const note = parseNote(scanner);
  const name = scanner.accept('[') ? parseLabel(scanner) : undefined;
  const outputs = parseNames(scanner);
  scanner.expect('=', 'A node is written as Y = Op <attributes> (inputs).');
  const { domain, op } = parseOperator(scanner);
  const overload = scanner.accept(':') ? scanner.name('an overload').text : undefined;
  const context: AttributeContext = {
    scanner,
    scope,
    depth,
    parseSubgraph: (outer, level, graphName) => parseGraph(scanner, outer, level, graphName),
  };
  const before = parseAttributes(context);
  scanner.expect('(');
  const inputs = parseNames(scanner).map((token) => readValue(scanner, scope, token));
  scanner.expect(')');
  return new Node(op, {
    domain,
    ...(overload !== undefined && { overload }),
    name,
    docString: note.docString,
    metadata: note.metadata,
    attributes: before.size > 0 ? before : parseAttributes(context),
    inputs,
    outputs: outputs.map((token) => (token.text === '' ? undefined : define(scanner, scope, token))),
  });
}

function parseLabel(scanner: Scanner): string {
  const name = scanner.is(']') ? '' : scanner.name('the name of a node').text;
  scanner.expect(']');
  return name;
}

function parseOperator(scanner: Scanner): { domain: string; op: string } {
  const parts = [scanner.name('an operator').text];
  while (scanner.accept('.')) parts.push(scanner.name('an operator').text);
  return { op: parts.pop() as string, domain: parts.join('.') };
}

/** Names with commas between them. A name may be left out before a comma, and the last comma may be one too many. */
function parseNames(scanner: Scanner): Token[] {
  const names: Token[] = [];
  do {
    const token = scanner.peek();
    if (token.kind === 'identifier' || token.kind === 'string') names.push(scanner.name('a name'));
    else if (scanner.is(',')) names.push({ kind: 'string', text: '', offset: token.offset });
    else break;
  } while (scanner.accept(','));
  return names;
}

function readValue(scanner: Scanner, scope: NameScope, token: Token): Value | undefined {
  if (token.text === '') return undefined;
  const value = scope.lookUp(token.text);
  if (value) return value;
  throw undefinedName(scanner, scope, token, 'is read, but not defined before');
}

function parseAttributes(context: AttributeContext): Map<string, Attribute> {
  const { scanner } = context;
  const attributes = new Map<string, Attribute>();
  if (!scanner.accept('<')) return attributes;
  do {
    const place = scanner.peek();
    const [name, attribute] = parseAttribute(context);
    if (attributes.has(name)) throw scanner.error(place, `attribute "${name}" is there twice`);
    attributes.set(name, attribute);
  } while (scanner.accept(','));
  scanner.expect('>');
  return attributes;
}
