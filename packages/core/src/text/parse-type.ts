import { nearestNames, type OptimumError } from '../foundation/index.ts';
import type { Dim, ElementType, ValueType } from '../ir/index.ts';
import { elementTypeOfWord, typeWords } from './names.ts';
import type { Scanner } from './scanner.ts';

/** Deepest nesting of types, and of graphs, that a text may have. */
const maxDepth = 64;

/** True when a type is next; quoted names never are types. */
export function isType(scanner: Scanner): boolean {
  const token = scanner.peek();
  return (
    token.kind === 'identifier' && typeWords.has(token.text) && token.text !== 'float32' && token.text !== 'float64'
  );
}

export function parseType(scanner: Scanner, depth = 0): ValueType {
  checkDepth(scanner, depth, 'types');
  if (!isType(scanner)) throw unknownType(scanner);
  const { text } = scanner.peek();
  switch (text) {
    case 'seq':
      scanner.next();
      return { kind: 'sequence', element: parenthesized(scanner, () => parseElement(scanner, depth)) };
    case 'optional':
      scanner.next();
      return { kind: 'optional', element: parenthesized(scanner, () => parseElement(scanner, depth)) };
    case 'map':
      scanner.next();
      return parenthesized(scanner, () => parseMap(scanner, depth));
    case 'sparse_tensor':
      scanner.next();
      return parenthesized(scanner, () => ({ ...parseTensorType(scanner), kind: 'sparse' }));
    case 'opaque':
      scanner.next();
      return parenthesized(scanner, () => parseOpaque(scanner));
    default:
      return parseTensorType(scanner);
  }
}

export function checkDepth(scanner: Scanner, depth: number, what: string): void {
  if (depth > maxDepth) throw scanner.tooDeep(what, maxDepth);
}

function parenthesized<T>(scanner: Scanner, inside: () => T): T {
  scanner.expect('(');
  const result = inside();
  scanner.expect(')');
  return result;
}

function unknownType(scanner: Scanner): OptimumError {
  const { kind, text } = scanner.peek();
  const [nearest] = kind === 'identifier' ? nearestNames(text, typeWords) : [];
  return scanner.unexpected('a type', nearest ? `Did you mean "${nearest}"?` : undefined);
}

const parseElement = (scanner: Scanner, depth: number): ValueType | undefined =>
  scanner.accept('?') ? undefined : parseType(scanner, depth + 1);

function parseMap(scanner: Scanner, depth: number): ValueType {
  const key = parseElementType(scanner);
  scanner.expect(',');
  return { kind: 'map', key, value: parseElement(scanner, depth) };
}

/** Its domain and name are read past: the IR keeps of an opaque type only that it is one. */
function parseOpaque(scanner: Scanner): ValueType {
  if (scanner.is(')')) return { kind: 'opaque' };
  do scanner.identifier('the name of an opaque type');
  while (scanner.accept('.') || scanner.accept(','));
  return { kind: 'opaque' };
}

function parseTensorType(scanner: Scanner): ValueType & { kind: 'tensor' } {
  const elementType = parseElementType(scanner);
  if (!scanner.accept('[')) return { kind: 'tensor', elementType, shape: [] };
  if (scanner.accept(']')) return { kind: 'tensor', elementType, shape: undefined };
  const shape: Dim[] = [];
  do shape.push(parseDim(scanner));
  while (scanner.accept(','));
  scanner.expect(']');
  return { kind: 'tensor', elementType, shape };
}

function parseElementType(scanner: Scanner): ElementType | undefined {
  const token = scanner.peek();
  const elementType = token.kind === 'identifier' ? elementTypeOfWord(token.text) : undefined;
  if (!elementType && token.text !== 'undefined') throw unknownType(scanner);
  scanner.next();
  return elementType;
}

function parseDim(scanner: Scanner): Dim {
  if (scanner.accept('?')) return null;
  const token = scanner.peek();
  if (token.kind === 'identifier' || token.kind === 'string') return scanner.name('a dimension').text || null;
  const size = Number(token.text);
  if (token.kind !== 'integer' || size < 0 || !Number.isSafeInteger(size))
    throw scanner.unexpected('a dimension', 'A size, a name, or "?" where nothing is known.');
  scanner.next();
  return size;
}
