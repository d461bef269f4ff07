import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { selectRows } from '../selection.ts';
import { type FixtureColumn, writeParquet } from './parquet-fixture.ts';
import { openParquet } from './parquet-rows.ts';
import type { RowReader } from './row.ts';

const root = mkdtempSync(join(tmpdir(), 'optimum-parquet-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const file = join(root, 'data.parquet');

const columns: FixtureColumn[] = [
  { name: 'text', type: 'text', values: ['naïve', '', 'third', 'fourth', '東京'] },
  { name: 'label', type: 'int64', values: [0, 1, -2, 3, 4] },
  { name: 'input_ids', type: 'int64 list', values: [[1, 2], [], [3], [4, 5, 6], [7]] },
  { name: 'score', type: 'double', values: [0.5, 1.5, 2.5, 3.5, 4.5] },
];

const open = (bytes: Uint8Array, isWanted: (name: string) => boolean = () => true) => {
  writeFileSync(file, bytes);
  return openParquet(file, isWanted);
};

async function rowsOf(reader: RowReader, selection = selectRows(reader.total)) {
  const rows = [];
  for await (const row of reader.rows(selection)) rows.push(row);
  return rows;
}

describe('openParquet', () => {
  it.each(['none', 'gzip', 'brotli'] as const)('reads columns, compressed: %s', async (codec) => {
    const reader = await open(writeParquet(columns, { rowsPerGroup: 2, codec }));
    expect(reader.total).toBe(5);
    const rows = await rowsOf(reader);
    expect(rows.map(({ index, fields }) => [index, fields.text, fields.label, fields.input_ids, fields.score])).toEqual(
      [
        [0, 'naïve', 0n, [1n, 2n], 0.5],
        [1, '', 1n, [], 1.5],
        [2, 'third', -2n, [3n], 2.5],
        [3, 'fourth', 3n, [4n, 5n, 6n], 3.5],
        [4, '東京', 4n, [7n], 4.5],
      ],
    );
    expect(rows[4]?.place.text).toBe(`${file}, row 4`);
  });

  it('reads selected rows across row groups, and wanted columns only', async () => {
    const reader = await open(writeParquet(columns, { rowsPerGroup: 2 }), (name) => name === 'text');
    const rows = await rowsOf(reader, { count: 2, indices: () => [1, 4] });
    expect(rows.map(({ index, fields }) => [index, { ...fields }])).toEqual([
      [1, { text: '' }],
      [4, { text: '東京' }],
    ]);
  });

  it('keeps bytes that are not called text', async () => {
    const png = Uint8Array.of(0x89, 0x50, 0xff, 0);
    const reader = await open(writeParquet([{ name: 'image', type: 'bytes', values: [png] }]));
    expect((await rowsOf(reader))[0]?.fields.image).toEqual(png);
  });

  it('says what is wrong with a truncated or foreign file', async () => {
    const whole = writeParquet(columns);
    for (const bytes of [
      whole.subarray(0, 40),
      whole.subarray(10),
      Buffer.from('PAR1'),
      Buffer.from('text'),
      Buffer.alloc(0),
    ])
      await expect(open(bytes)).rejects.toMatchObject({
        code: 'E_DATA_INVALID',
        message: expect.stringMatching(/data\.parquet: not a Parquet file that can be read/),
      });
  });

  it('finds that pages are cut off when it comes to them', async () => {
    const whole = Buffer.from(writeParquet(columns));
    // The footer stays; the pages in front of it are zeros.
    const footer = whole.readUInt32LE(whole.length - 8) + 8;
    whole.fill(0, 4, whole.length - footer);
    const reader = await open(whole);
    await expect(rowsOf(reader)).rejects.toMatchObject({ code: 'E_DATA_INVALID' });
  });
});
