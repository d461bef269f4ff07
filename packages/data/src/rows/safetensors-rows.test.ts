import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { selectRows } from '../selection.ts';
import { DataTensor } from './row.ts';
import { withHeader, writeSafetensors } from './safetensors-fixture.ts';
import { openSafetensors } from './safetensors-rows.ts';

const root = mkdtempSync(join(tmpdir(), 'optimum-safetensors-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const file = join(root, 'data.safetensors');

const open = (bytes: Uint8Array) => {
  writeFileSync(file, bytes);
  return openSafetensors(file);
};

const bytes = Uint8Array.from({ length: 12 }, (_, index) => index);
const entry = (fields: object) => ({ dtype: 'U8', shape: [3, 4], data_offsets: [0, 12], ...fields });
const headerOf = (fields: object, data = bytes) => withHeader(JSON.stringify({ x: entry(fields) }), data);

describe('openSafetensors', () => {
  it('slices the first axis', async () => {
    const labels = { dtype: 'I64', shape: [3], bytes: new Uint8Array(new BigInt64Array([5n, 6n, 7n]).buffer) };
    const reader = open(writeSafetensors({ x: { dtype: 'U8', shape: [3, 2, 2], bytes }, labels }));
    const rows = [];
    for await (const row of reader.rows({ count: 2, indices: () => [0, 2] })) rows.push(row);
    expect(rows.map(({ index, fields }) => [index, fields.x])).toEqual([
      [0, new DataTensor({ elementType: 'uint8', dims: [2, 2], bytes: Uint8Array.of(0, 1, 2, 3) })],
      [2, new DataTensor({ elementType: 'uint8', dims: [2, 2], bytes: Uint8Array.of(8, 9, 10, 11) })],
    ]);
    expect(rows[1]?.fields.labels).toMatchObject({ tensor: { elementType: 'int64', dims: [] } });
    expect(rows[1]?.place.text).toBe(`${file}, row 2`);
  });

  it('leaves the metadata out, and has no row without tensors', async () => {
    const reader = open(withHeader('{"__metadata__": {"format": "pt"}}', Buffer.alloc(0)));
    expect(reader.total).toBe(0);
    for await (const _ of reader.rows(selectRows(0))) throw new Error('a row');
  });

  it.each([
    ['nothing', Buffer.alloc(0), /it has 0 bytes/],
    [
      'a header past the end',
      Buffer.concat([Buffer.from([255, 0, 0, 0, 0, 0, 0, 0]), bytes]),
      /header claims 255 bytes/,
    ],
    [
      'a header of 2^63 bytes',
      Buffer.concat([Buffer.alloc(7), Buffer.from([0x80])]),
      /header claims 9223372036854775808/,
    ],
    ['no JSON', withHeader('{"x": ', bytes), /header is not JSON/],
    ['invalid UTF-8', Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe])]), /header is not JSON/],
    ['a list', withHeader('[]', Buffer.alloc(0)), /header is \[\]/],
    ['null for a tensor', withHeader('{"x": null}', Buffer.alloc(0)), /"x" has the type undefined/],
    ['an unknown type', headerOf({ dtype: 'F8_E4M3' }), /"x" has the type "F8_E4M3"/],
    ['a negative size', headerOf({ shape: [-3, -4] }), /"x" has the shape \[-3,-4\]/],
    ['a fraction', headerOf({ shape: [1.5, 8] }), /"x" has the shape \[1\.5,8\]/],
    ['sizes past 2^53', headerOf({ shape: [2 ** 40, 2 ** 40] }), /"x" needs too many bytes/],
    ['a high rank', headerOf({ shape: Array(40).fill(1) }), /"x" has the shape/],
    ['no offsets', headerOf({ data_offsets: undefined }), /"x" has the offsets undefined/],
    ['offsets that go back', headerOf({ data_offsets: [12, 0] }), /"x" needs 12 bytes, but has -12/],
    ['offsets that do not fit the shape', headerOf({ data_offsets: [0, 11] }), /"x" needs 12 bytes, but has 11/],
    ['out of bounds', headerOf({}, bytes.subarray(0, 11)), /end at byte \d+, but the file has/],
    ['bytes that nobody has', headerOf({}, Buffer.alloc(13)), /end at byte \d+, but the file has/],
    ['a hole in front', headerOf({ data_offsets: [1, 13] }, Buffer.alloc(13)), /"x" follows a hole/],
    [
      'an overlap',
      withHeader(JSON.stringify({ x: entry({}), y: entry({ data_offsets: [6, 18] }) }), Buffer.alloc(18)),
      /"y" overlaps another/,
    ],
    [
      'unequal samples',
      writeSafetensors({ x: { dtype: 'U8', shape: [3, 4], bytes }, y: { dtype: 'U8', shape: [4, 3], bytes } }),
      /differ in their first axis, which counts samples: "x" is \[3, 4\], "y" is \[4, 3\]/,
    ],
    ['a scalar', writeSafetensors({ x: { dtype: 'U8', shape: [], bytes: bytes.subarray(0, 1) } }), /"x" is \[\]/],
  ])('refuses %s', (_, content, message) => {
    expect(() => open(content)).toThrow(
      expect.objectContaining({ code: 'E_DATA_INVALID', message: expect.stringMatching(message) }),
    );
  });

  it('refuses a giant header before it is read', () => {
    expect(() => open(withHeader(' '.repeat(10e6 + 1), Buffer.alloc(0)))).toThrow(
      expect.objectContaining({ code: 'E_LIMIT_BYTES' }),
    );
  });
});
