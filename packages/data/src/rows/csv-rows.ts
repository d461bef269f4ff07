import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { OptimumError, throwIfAborted } from '@optimum/core';
import { dataError, messageOf, placeOfFile, placeOfLine } from '../data-error.ts';
import { textLines } from '../files/text-lines.ts';
import { pick } from '../selection.ts';
import { describeColumns, sampledRecords } from './csv-columns.ts';
import type { Columns, RowReader } from './row.ts';

/** How the values of a line are told apart. */
export interface CsvDialect {
  readonly delimiter: string;
  /** Tab-separated values know no quotes: a quote is a character like any other. */
  readonly hasQuotes: boolean;
}

/** @source RFC 4180 */
export const commaSeparated: CsvDialect = { delimiter: ',', hasQuotes: true };
/** @source IANA, text/tab-separated-values */
export const tabSeparated: CsvDialect = { delimiter: '\t', hasQuotes: false };

/** 64 million characters; also what a quote that never ends takes. */
const longestRecord = 64e6;

interface CsvRecord {
  readonly index: number;
  /** The line on which it ends, from 1. */
  readonly line: number;
  readonly values: readonly string[];
}

/**
 * Rows of comma- or tab-separated values, parsed by csv-parse. The first record is a header if it holds a name that is
 * known; else columns are called "1", "2", … and what they are is told from the first records.
 * @param names that tell a header: inputs of the model, and columns that the user named
 * @throws E_DATA_INVALID with the line for rows of unequal length and quotes that do not end, and what textLines throws
 */
export async function openCsv(
  path: string,
  dialect: CsvDialect,
  names: Iterable<string>,
  given: Columns,
  signal?: AbortSignal,
): Promise<RowReader> {
  const first: string[][] = [];
  let count = 0;
  for await (const { values } of records(path, dialect)) {
    throwIfAborted(signal);
    if (first.length < sampledRecords) first.push([...values]);
    count++;
  }
  const { header, columns } = describeColumns(first, names, given);
  requireUnique(header, path);
  const skipped = header.isRecord ? 1 : 0;
  return {
    total: Math.max(0, count - skipped),
    folder: dirname(path),
    hasBatchAxis: false,
    columns,
    files: [path],
    async *rows(selection) {
      for await (const { index, line, values } of pick(records(path, dialect, skipped), selection)) {
        const fields = Object.fromEntries(header.names.map((name, column) => [name, values[column] ?? '']));
        yield { index, place: placeOfLine(path, line), fields };
      }
    },
  };
}

function requireUnique({ names }: { readonly names: readonly string[] }, path: string): void {
  const double = names.find((name, index) => names.indexOf(name) !== index);
  if (double !== undefined) throw dataError(placeOfFile(path), `two columns are called ${JSON.stringify(double)}`);
}

async function* records(path: string, dialect: CsvDialect, skipped = 0): AsyncGenerator<CsvRecord> {
  const { parse } = await import('csv-parse');
  const lines = Readable.from(terminatedLines(path));
  const parser = parse({
    delimiter: dialect.delimiter,
    quote: dialect.hasQuotes ? '"' : null,
    escape: dialect.hasQuotes ? '"' : null,
    record_delimiter: '\n',
    max_record_size: longestRecord,
    skip_empty_lines: true,
    info: true,
  });
  lines.once('error', (error) => parser.destroy(error));
  lines.pipe(parser);
  // Told by the loop below; without this an error that comes after a break would end the process.
  finished(parser).catch(() => undefined);
  let index = -skipped;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      if (index >= 0) yield { index, line: info.lines, values: record };
      index++;
    }
  } catch (error) {
    throw csvError(error, path);
  } finally {
    lines.destroy();
  }
}

/** Ends of lines become line feeds, inside of quotes too: csv-parse counts a line twice that ends as on Windows. */
function* terminatedLines(path: string): Generator<string> {
  for (const { text } of textLines(path)) yield `${text.replace(/\r$/, '')}\n`;
}

const reasons: Readonly<Record<string, readonly [string, string]>> = {
  CSV_RECORD_INCONSISTENT_FIELDS_LENGTH: [
    'the row has not as many values as the first one',
    'Put values that hold the delimiter in quotes (CSV), or check for stray delimiters.',
  ],
  CSV_QUOTE_NOT_CLOSED: ['a quote opens here and does not end', 'Double the quotes inside of quoted values ("").'],
  CSV_INVALID_CLOSING_QUOTE: ['something follows a closing quote', 'Double the quotes inside of quoted values ("").'],
  INVALID_OPENING_QUOTE: [
    'a quote inside of a value without quotes',
    'Put the value in quotes, and double those in it.',
  ],
  CSV_MAX_RECORD_SIZE: [
    `a row has more than ${longestRecord} characters`,
    'Does a quote open that does not end? Double the quotes inside of quoted values ("").',
  ],
};

function csvError(error: unknown, path: string): OptimumError {
  if (OptimumError.isInstance(error)) return error;
  const { code = '', lines } = error as { code?: string; lines?: number };
  const [what, hint] = reasons[code] ?? [messageOf(error), undefined];
  const place = lines === undefined ? placeOfFile(path) : placeOfLine(path, lines);
  return dataError(place, what, { hint, cause: error });
}
