import { nearestNames } from '../foundation/index.ts';
import type { Scanner, Token } from './scanner.ts';

/** Documentation and metadata of what follows. */
export interface Note {
  readonly docString: string | undefined;
  readonly metadata: ReadonlyMap<string, string>;
}

/** `#: doc_string: "...", metadata_props: [...]`, or an empty note where there is none. */
export function parseNote(scanner: Scanner): Note {
  let docString: string | undefined;
  let metadata: ReadonlyMap<string, string> = new Map();
  if (!scanner.accept('#:')) return { docString, metadata };
  parseEntries(scanner, {
    doc_string: () => {
      docString = scanner.string('a doc string');
    },
    metadata_props: () => {
      metadata = parseMetadata(scanner);
    },
  });
  return { docString, metadata };
}

/** `key: value` with commas between them; each known key once. */
export function parseEntries(scanner: Scanner, readers: Readonly<Record<string, () => void>>): void {
  const seen = new Set<string>();
  do {
    const token = scanner.identifier('a key');
    const read = Object.hasOwn(readers, token.text) ? readers[token.text] : undefined;
    if (!read) throw unknownKey(scanner, token, Object.keys(readers));
    if (seen.has(token.text)) throw scanner.error(token, `"${token.text}" is there twice`);
    seen.add(token.text);
    scanner.expect(':');
    read();
  } while (scanner.accept(','));
}

function unknownKey(scanner: Scanner, token: Token, known: readonly string[]) {
  const [nearest] = nearestNames(token.text, known, 1);
  const hint = nearest ? `Did you mean "${nearest}"?` : undefined;
  return scanner.error(token, `expected one of ${known.join(', ')}, got "${token.text}"`, hint);
}

/** `["key": value, ...]`; a key that is there twice keeps its last value, as in files. */
export function parsePairs<T>(scanner: Scanner, value: () => T): [string, T][] {
  const pairs: [string, T][] = [];
  scanner.expect('[');
  if (scanner.accept(']')) return pairs;
  do {
    const key = scanner.string('a key in quotes');
    scanner.expect(':');
    pairs.push([key, value()]);
  } while (scanner.accept(','));
  scanner.expect(']');
  return pairs;
}

export const parseMetadata = (scanner: Scanner): Map<string, string> =>
  new Map(parsePairs(scanner, () => scanner.string('a string')));
