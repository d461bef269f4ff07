import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { selectRows } from '../selection.ts';
import { commaSeparated, openCsv, tabSeparated } from './csv-rows.ts';
import type { Columns } from './row.ts';

const root = mkdtempSync(join(tmpdir(), 'optimum-csv-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const file = join(root, 'data.csv');

const open = (text: string | Uint8Array, dialect = commaSeparated, given: Columns = {}) => {
  writeFileSync(file, text);
  return openCsv(file, dialect, Object.values(given), given);
};

async function rowsOf(text: string, dialect = commaSeparated, given: Columns = {}) {
  const reader = await open(text, dialect, given);
  const rows = [];
  for await (const { index, place, fields } of reader.rows(selectRows(reader.total)))
    rows.push({ index, place, fields });
  return { reader, rows };
}

describe('openCsv', () => {
  it('takes the names of a header, with quotes, Windows line ends, a byte order mark and line breaks in values', async () => {
    const { reader, rows } = await rowsOf('\uFEFFid,sentence\r\n1,"a, ""b"""\r\n\r\n2,"two\r\nlines"\r\n');
    expect(reader.total).toBe(2);
    expect(rows.map(({ fields }) => fields)).toEqual([
      { id: '1', sentence: 'a, "b"' },
      { id: '2', sentence: 'two\nlines' },
    ]);
    expect(rows.map(({ place }) => place.text)).toEqual([`${file}:2`, `${file}:5`]);
  });

  it('tells texts from labels and numbers where there is no header', async () => {
    const { reader, rows } = await rowsOf(
      '7,one,POS\n8,two,NEG\n9,three,POS\n10,four,NEG\n11,five,POS\n12,six,NEG\n13,seven,POS\n14,eight,NEG\n',
    );
    expect(reader.total).toBe(8);
    expect(reader.columns).toEqual({ text: '2', textPair: undefined });
    expect(rows[1]).toMatchObject({ index: 1, fields: { 1: '8', 2: 'two', 3: 'NEG' } });
  });

  it('finds a pair of texts, unless the user says that one is the label', async () => {
    const text = 'a b,c d,5.0\ne f,g h,4\n';
    expect((await open(text)).columns).toEqual({ text: '1', textPair: '2' });
    expect((await open(text, commaSeparated, { label: '2' })).columns).toEqual({ text: '1', textPair: undefined });
  });

  it('takes no known word beside a number for a header', async () => {
    const { reader, rows } = await rowsOf('review,1\nanother,0\n');
    expect([reader.total, rows[0]?.fields]).toEqual([2, { 1: 'review', 2: '1' }]);
  });

  it('numbers a column whose header is empty', async () => {
    const { rows } = await rowsOf(',text\n0,hello\n');
    expect(rows.map(({ fields }) => fields)).toEqual([{ 1: '0', text: 'hello' }]);
  });

  it('takes a column that the user names for a header', async () => {
    const { rows } = await rowsOf('body,n\nhello,1\n', commaSeparated, { text: 'body' });
    expect(rows.map(({ fields }) => fields)).toEqual([{ body: 'hello', n: '1' }]);
  });

  it('knows no quotes in tab-separated values', async () => {
    const { rows } = await rowsOf('the "clip" is bad\t0\n"great."\t1\n" opens\t1\n', tabSeparated);
    expect(rows.map(({ fields }) => fields[1])).toEqual(['the "clip" is bad', '"great."', '" opens']);
  });

  it.each([
    ['ragged', 'text,label\na,1\nb\n', /data\.csv:3: the row has not as many values/],
    ['ragged, more', 'text\na\nb,c\n', /data\.csv:3: the row has not as many values/],
    ['a quote that does not end', 'text,label\n"a,1\nb,2\n', /a quote opens here and does not end/],
    ['text after a quote', 'text\n"a"b\n', /data\.csv:2: something follows a closing quote/],
    ['a quote inside', 'text\na "b"\n', /data\.csv:2: a quote inside of a value without quotes/],
    ['NUL', 'text\na\0b\n', /data\.csv:2: a NUL byte at column 2/],
    ['invalid UTF-8', Buffer.from('text\nok\n\xff\xfe\n', 'latin1'), /data\.csv:3: this line is not valid UTF-8/],
    ['UTF-16', Buffer.from('\uFEFFtext\n', 'utf16le'), /data\.csv:1: the file is UTF-16/],
    ['a name twice', 'text,text\na,b\n', /two columns are called "text"/],
  ])('refuses %s', async (_, text, message) => {
    await expect(open(text)).rejects.toMatchObject({
      code: 'E_DATA_INVALID',
      message: expect.stringMatching(message),
    });
  });

  it('ends a quote that never does within a bounded size', async () => {
    // 70 million characters in lines that are short.
    const line = `${'a'.repeat(999)}\n`;
    writeFileSync(file, `text\n"${line.repeat(70_000)}`);
    await expect(openCsv(file, commaSeparated, [], {})).rejects.toMatchObject({
      code: 'E_DATA_INVALID',
      message: expect.stringMatching(/a row has more than 64000000 characters/),
    });
  });
});
