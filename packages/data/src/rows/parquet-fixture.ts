import { brotliCompressSync, gzipSync } from 'node:zlib';

/** One column of a file that a test writes. Every value is there: no nulls. */
export type FixtureColumn =
  | { readonly name: string; readonly type: 'text' | 'bytes'; readonly values: readonly (string | Uint8Array)[] }
  | { readonly name: string; readonly type: 'int64'; readonly values: readonly number[] }
  | { readonly name: string; readonly type: 'int64 list'; readonly values: readonly (readonly number[])[] }
  | { readonly name: string; readonly type: 'double'; readonly values: readonly number[] };

export type FixtureCodec = 'none' | 'gzip' | 'brotli';

const codecs = { none: 0, gzip: 2, brotli: 4 } as const;
const physicalTypes = { text: 6, bytes: 6, int64: 2, 'int64 list': 2, double: 5 } as const;
const magic = Buffer.from('PAR1');

/** A Parquet file with plain values, for tests. @source apache/parquet-format, README and parquet.thrift */
export function writeParquet(
  columns: readonly FixtureColumn[],
  { rowsPerGroup = 1000, codec = 'none' }: { readonly rowsPerGroup?: number; readonly codec?: FixtureCodec } = {},
): Uint8Array {
  const count = columns[0]?.values.length ?? 0;
  const pieces: Uint8Array[] = [magic];
  let position = magic.length;
  const groups: Thrift[] = [];
  for (let first = 0; first < count; first += rowsPerGroup) {
    const end = Math.min(count, first + rowsPerGroup);
    const chunks = columns.map((column) => {
      const { page, metadata } = columnChunk(column, first, end, position, codec);
      pieces.push(page);
      position += page.length;
      return metadata;
    });
    groups.push(struct([1, list(12, chunks)], [2, i64(position)], [3, i64(end - first)]));
  }
  const leaves = columns.flatMap(schemaOf);
  const root = struct([4, binary('schema')], [5, i32(columns.length)]);
  const footer = struct([1, i32(1)], [2, list(12, [root, ...leaves])], [3, i64(count)], [4, list(12, groups)]).bytes;
  const length = Buffer.alloc(4);
  length.writeUInt32LE(footer.length);
  return Buffer.concat([...pieces, footer, length, magic]);
}

function schemaOf({ name, type }: FixtureColumn): Thrift[] {
  const isText: [number, Thrift][] = type === 'text' ? [[6, i32(0)]] : [];
  const leaf = (leafName: string) =>
    struct([1, i32(physicalTypes[type])], [3, i32(0)], [4, binary(leafName)], ...isText);
  if (type !== 'int64 list') return [leaf(name)];
  const outer = struct([3, i32(0)], [4, binary(name)], [5, i32(1)], [6, i32(3)]);
  return [outer, struct([3, i32(2)], [4, binary('list')], [5, i32(1)]), leaf('element')];
}

function columnChunk(column: FixtureColumn, first: number, end: number, position: number, codec: FixtureCodec) {
  const values = column.values.slice(first, end);
  const isList = column.type === 'int64 list';
  const flat = isList ? (values as readonly (readonly number[])[]).flat() : values;
  const levels = isList
    ? listLevels(values as readonly (readonly number[])[])
    : { bytes: Buffer.alloc(0), count: flat.length };
  const plain = Buffer.concat([levels.bytes, ...flat.map((value) => plainValue(value, column.type))]);
  const packed = codec === 'gzip' ? gzipSync(plain) : codec === 'brotli' ? brotliCompressSync(plain) : plain;
  const dataHeader = struct([1, i32(levels.count)], [2, i32(0)], [3, i32(3)], [4, i32(3)]);
  const header = struct([1, i32(0)], [2, i32(plain.length)], [3, i32(packed.length)], [5, dataHeader]).bytes;
  const page = Buffer.concat([header, packed]);
  const path = isList ? [column.name, 'list', 'element'] : [column.name];
  const description = struct(
    [1, i32(physicalTypes[column.type])],
    [2, list(5, [i32(0), i32(3)])],
    [3, list(8, path.map(binary))],
    [4, i32(codecs[codec])],
    [5, i64(levels.count)],
    [6, i64(header.length + plain.length)],
    [7, i64(page.length)],
    [9, i64(position)],
  );
  return { page, metadata: struct([2, i64(position)], [3, description]) };
}

function plainValue(value: unknown, type: FixtureColumn['type']): Uint8Array {
  if (type === 'text' || type === 'bytes') {
    const bytes = Buffer.from(value as string);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    return Buffer.concat([length, bytes]);
  }
  const bytes = Buffer.alloc(8);
  if (type === 'double') bytes.writeDoubleLE(value as number);
  else bytes.writeBigInt64LE(BigInt(value as number));
  return bytes;
}

/** Repetition and definition levels of required lists, one run per value. An empty list has one level of nothing. */
function listLevels(lists: readonly (readonly number[])[]): { readonly bytes: Uint8Array; readonly count: number } {
  const repetition = lists.flatMap((items) => (items.length === 0 ? [0] : items.map((_, index) => Math.min(index, 1))));
  const definition = lists.flatMap((items) => (items.length === 0 ? [0] : items.map(() => 1)));
  return { bytes: Buffer.concat([runs(repetition), runs(definition)]), count: definition.length };
}

function runs(levels: readonly number[]): Uint8Array {
  const bytes = Buffer.from(levels.flatMap((level) => [2, level]));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** A value in Thrift's compact protocol, with its type number. */
interface Thrift {
  readonly type: number;
  readonly bytes: Uint8Array;
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

const i32 = (value: number): Thrift => ({ type: 5, bytes: Buffer.from(varint(value * 2)) });
const i64 = (value: number): Thrift => ({ type: 6, bytes: Buffer.from(varint(value * 2)) });
const binary = (text: string): Thrift => ({
  type: 8,
  bytes: Buffer.from([...varint(text.length), ...Buffer.from(text)]),
});

const list = (type: number, items: readonly Thrift[]): Thrift => ({
  type: 9,
  bytes: Buffer.concat([Buffer.from([0xf0 | type, ...varint(items.length)]), ...items.map(({ bytes }) => bytes)]),
});

function struct(...fields: readonly (readonly [id: number, value: Thrift])[]): Thrift {
  const pieces = fields.map(([id, { type, bytes }], index) => {
    const previous = index === 0 ? 0 : (fields[index - 1] as readonly [number, Thrift])[0];
    return Buffer.concat([Buffer.from([((id - previous) << 4) | type]), bytes]);
  });
  return { type: 12, bytes: Buffer.concat([...pieces, Buffer.from([0])]) };
}
