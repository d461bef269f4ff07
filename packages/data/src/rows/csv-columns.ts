import { allKnownColumns } from './known-columns.ts';
import type { Columns } from './row.ts';

/** Records from which the columns of a file without a header are told. */
export const sampledRecords = 50;

export interface CsvHeader {
  readonly names: readonly string[];
  /** Whether the first record is the header. */
  readonly isRecord: boolean;
}

/**
 * Names of the columns. Without a header they are numbered from 1, and texts are told from labels and numbers.
 * @param first the first records of the file
 * @param names that tell a header, beside those that are known
 */
export function describeColumns(
  first: readonly (readonly string[])[],
  names: Iterable<string>,
  given: Columns,
): { readonly header: CsvHeader; readonly columns: Columns } {
  const top = first[0] ?? [];
  const named = top.map((value, column) => value.trim() || String(column + 1));
  if (isHeader(top, new Set([...allKnownColumns, ...names])))
    return { header: { names: named, isRecord: true }, columns: {} };
  const numbered = top.map((_, column) => String(column + 1));
  const taken = new Set(Object.values(given));
  const texts = numbered.filter((name, column) => !taken.has(name) && isText(first.map((row) => row[column] ?? '')));
  const [text, textPair] = texts;
  return { header: { names: numbered, isRecord: false }, columns: { text, textPair } };
}

/** A header has a name that is known, and no numbers: those are labels behind a text of one such word. */
function isHeader(record: readonly string[], known: ReadonlySet<string>): boolean {
  const isKnown = (value: string): boolean => known.has(value.trim()) || known.has(value.trim().toLowerCase());
  return record.some(isKnown) && !record.some(isNumber);
}

const isNumber = (value: string): boolean => value.trim() !== '' && Number.isFinite(Number(value));

/** Neither numbers nor a few values that come again and again, as labels do. */
function isText(values: readonly string[]): boolean {
  const filled = values.filter((value) => value.trim() !== '');
  if (filled.length === 0 || filled.every(isNumber)) return false;
  return new Set(filled).size > filled.length / 4;
}
