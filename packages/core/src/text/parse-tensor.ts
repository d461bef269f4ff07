import { OptimumError } from '../foundation/index.ts';
import { byteLengthOf, type ElementType, Tensor, tensorOfBytes, type ValueType } from '../ir/index.ts';
import {
  halfPattern,
  isSigned,
  isSingle,
  literalBits,
  literalsPerElement,
  spellingOf,
  writeFloat,
  writeInteger,
} from './element-text.ts';
import { filledTensor, maxFilledStrings } from './fill.ts';
import { isFloatWord } from './names.ts';
import { parseFloatLiteral } from './numbers.ts';
import type { Scanner, Token } from './scanner.ts';
import { unquote } from './strings.ts';

/** The data of a tensor whose type was read at `place`: `{1,2}`, or `["elided": "seed"]`. */
export function parseTensorData(scanner: Scanner, type: ValueType, place: Token): Tensor {
  const { elementType, dims } = concreteType(scanner, type, place);
  const counted = checkedCount(scanner, elementType, dims, place);
  if (scanner.is('[')) return parseElided(scanner, elementType, dims, counted, place);
  const tokens = parseLiterals(scanner, elementType);
  const expected = counted * literalsPerElement(elementType);
  if (tokens.length !== expected) {
    const what = `expected ${expected} values for a tensor of [${dims.join(',')}], got ${tokens.length}`;
    throw scanner.error(place, what);
  }
  return pack(scanner, elementType, dims, tokens);
}

function concreteType(
  scanner: Scanner,
  type: ValueType,
  place: Token,
): { elementType: ElementType; dims: readonly number[] } {
  const hint = 'A tensor with data has a known element type and whole sizes, as in float[2,3].';
  if (type.kind !== 'tensor' || !type.elementType || !type.shape)
    throw scanner.error(place, 'this is not the type of a tensor with data', hint);
  const dims = type.shape.map((dim) => {
    if (typeof dim === 'number') return dim;
    throw scanner.error(place, `expected a size, got the dimension "${dim ?? '?'}"`, hint);
  });
  return { elementType: type.elementType, dims };
}

function checkedCount(scanner: Scanner, type: ElementType, dims: readonly number[], place: Token): number {
  try {
    byteLengthOf(type, dims);
  } catch (cause) {
    throw OptimumError.isInstance(cause) ? scanner.error(place, `[${dims.join(',')}] is too large`) : cause;
  }
  return dims.reduce((product, dim) => product * dim, 1);
}

function parseElided(
  scanner: Scanner,
  elementType: ElementType,
  dims: readonly number[],
  count: number,
  place: Token,
): Tensor {
  scanner.expect('[');
  const key = scanner.peek();
  if (scanner.string('"elided"') !== 'elided')
    throw scanner.error(
      key,
      'expected "elided", got external data',
      'A text reads no files; write the values out, or ["elided": "seed"].',
    );
  scanner.expect(':');
  const seed = scanner.string('a seed');
  scanner.expect(']');
  if (elementType === 'string' && count > maxFilledStrings)
    throw scanner.error(place, `at most ${maxFilledStrings} strings can be elided, got ${count}`);
  return filledTensor(elementType, dims, seed);
}

function parseLiterals(scanner: Scanner, type: ElementType): Token[] {
  const tokens: Token[] = [];
  scanner.expect('{', 'Values stand in braces, as in {1,2,3}.');
  if (scanner.accept('}')) return tokens;
  do tokens.push(literal(scanner, type));
  while (scanner.accept(','));
  scanner.expect('}');
  return tokens;
}

function literal(scanner: Scanner, type: ElementType): Token {
  const { kind, text } = scanner.peek();
  const spelling = spellingOf(type);
  const isFloat = kind === 'float' || (kind === 'identifier' && isFloatWord(text));
  const allowsFloat = spelling === 'float' || type === 'float16' || type === 'bfloat16';
  const fits = spelling === 'string' ? kind === 'string' : kind === 'integer' || (isFloat && allowsFloat);
  if (fits) return scanner.next();
  throw scanner.unexpected(`a value of ${type}`);
}

function pack(scanner: Scanner, type: ElementType, dims: readonly number[], tokens: readonly Token[]): Tensor {
  if (type === 'string') {
    const values = tokens.map(({ text }) => bytesOf(unquote(text)));
    return new Tensor(type, dims, { kind: 'strings', values });
  }
  const bytes = new Uint8Array(byteLengthOf(type, dims));
  const view = new DataView(bytes.buffer);
  for (const [index, token] of tokens.entries()) {
    if (spellingOf(type) === 'float') packFloat(scanner, view, index, type, token);
    else writeInteger(view, index, literalBits(type), integerOf(scanner, type, token));
  }
  return tensorOfBytes(type, dims, bytes);
}

const bytesOf = (value: string | Uint8Array): Uint8Array =>
  typeof value === 'string' ? new TextEncoder().encode(value) : value;

function packFloat(scanner: Scanner, view: DataView, index: number, type: ElementType, token: Token): void {
  const value = parseFloatLiteral(token.text, isSingle(type));
  if (value === undefined) throw scanner.error(token, `${token.text} does not fit into ${type}`);
  writeFloat(view, index, type, value, token.text.startsWith('-'));
}

function integerOf(scanner: Scanner, type: ElementType, token: Token): bigint {
  if (token.kind !== 'integer') return BigInt(halfOf(scanner, type as 'float16', token));
  const value = BigInt(token.text);
  const bits = BigInt(literalBits(type));
  const lowest = isSigned(type) ? -(1n << (bits - 1n)) : 0n;
  const highest = lowest + (1n << bits) - 1n;
  if (value >= lowest && value <= highest) return value;
  throw scanner.error(token, `expected ${type} within ${lowest} and ${highest}, got ${token.text}`);
}

/** Halves are bit patterns officially; a decimal point makes clear that the number itself is meant. */
function halfOf(scanner: Scanner, type: 'float16' | 'bfloat16', token: Token): number {
  const value = parseFloatLiteral(token.text, true);
  const pattern = value === undefined ? undefined : halfPattern(type, value);
  if (pattern === undefined) throw scanner.error(token, `${token.text} does not fit into ${type}`);
  return pattern;
}
