import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { throwIfAborted } from '@optimum/core';
import { dataError, messageOf, type Place, placeOfLine } from '../data-error.ts';
import { type TextLine, textLines } from '../files/text-lines.ts';
import { pick } from '../selection.ts';
import type { Row, RowReader } from './row.ts';

/** Makes the fields of a row of one line that is not blank. */
type ParseLine = (line: string, place: Place) => Row['fields'];

/**
 * JSON lines: each is a text or an object. Blank lines are no rows.
 * @throws E_DATA_INVALID with the line, here for what is no UTF-8 text, in `rows` for what is not JSON; E_INTERRUPTED
 */
export const openJsonLines = (path: string, signal?: AbortSignal): Promise<RowReader> =>
  openLines(path, parseJsonLine, signal);

/** Plain text, one sample per line. Blank lines are no rows. @throws as openJsonLines */
export const openTextLines = (path: string, signal?: AbortSignal): Promise<RowReader> =>
  openLines(path, (text) => ({ text: text.trim() }), signal);

async function openLines(path: string, parse: ParseLine, signal?: AbortSignal): Promise<RowReader> {
  let total = 0;
  for await (const _ of rowLines(path)) {
    throwIfAborted(signal);
    total++;
  }
  return {
    total,
    folder: dirname(path),
    hasBatchAxis: true,
    columns: {},
    files: [path],
    async *rows(selection) {
      for await (const { index, number, text } of pick(rowLines(path), selection)) {
        const place = placeOfLine(path, number);
        yield { index, place, fields: parse(text, place) };
      }
    },
  };
}

/** Lines between which signals are seen: reading is synchronous. */
const linesPerTurn = 4096;

async function* rowLines(path: string): AsyncGenerator<TextLine & { readonly index: number }> {
  let index = 0;
  for (const line of textLines(path)) {
    if (line.number % linesPerTurn === 0) await nextTurn();
    if (line.text.trim() !== '') yield { ...line, index: index++ };
  }
}

function parseJsonLine(line: string, place: Place): Row['fields'] {
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch (cause) {
    throw dataError(place, `not JSON (${messageOf(cause)})`, {
      hint: 'Every line is a JSON document of its own: a text or an object.',
      cause,
    });
  }
  if (typeof row === 'string') return { text: row };
  if (typeof row === 'object' && row !== null && !Array.isArray(row)) return row as Row['fields'];
  const isList = Array.isArray(row);
  throw dataError(place, `expected text or an object${isList ? ', but found a list' : ''}`, {
    hint: isList ? 'Write one object per line, without brackets around them.' : undefined,
  });
}
