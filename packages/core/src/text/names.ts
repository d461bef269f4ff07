import { elementTypeOfName, elementTypes } from '../ir/index.ts';
import { quote } from './strings.ts';

/** Words that begin a type; a name spelled like one is quoted, so that it is never read as one. */
export const typeWords: ReadonlySet<string> = new Set([
  ...elementTypes,
  'float',
  'double',
  'undefined',
  'seq',
  'map',
  'optional',
  'sparse_tensor',
  'opaque',
]);

const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/;
const qualified = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/;
const floatWord = /^(inf|infinity|nan)$/i;

export const isFloatWord = (word: string): boolean => floatWord.test(word);

/** An identifier as it is, every other name quoted. */
export const printName = (name: string): string =>
  identifier.test(name) && !typeWords.has(name) && !isFloatWord(name) ? name : quote(name);

/** `domain.Op`; the standard domain is left out. */
export function printOperator(domain: string, op: string): string {
  const name = identifier.test(op) ? op : quote(op);
  if (domain === '') return name;
  return `${qualified.test(domain) ? domain : quote(domain)}.${name}`;
}

/** The element type that the textual syntax calls `word`; its names of the two common floats are C's. */
export const elementTypeOfWord = (word: string): ReturnType<typeof elementTypeOfName> =>
  word === 'float32' || word === 'float64' ? undefined : elementTypeOfName(word);
