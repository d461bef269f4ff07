import { dirname } from 'node:path';
import { OptimumError } from '@optimum/core';
import { FileSource } from '@optimum/core/node';
import type { AsyncBuffer, FileMetaData } from 'hyparquet';
import { dataError, messageOf, placeOfFile, placeOfRow } from '../data-error.ts';
import type { Selection } from '../selection.ts';
import type { Row, RowReader } from './row.ts';

/** A row group is decoded at once, in about this much memory at most. */
const largestRowGroup = 2 ** 30;
const mostRowsInGroup = 2 ** 24;

interface RowGroup {
  /** Rows [first, end) of the file. */
  readonly first: number;
  readonly end: number;
  /** Bytes by column, before compression. */
  readonly byteLengths: ReadonlyMap<string, number>;
}

/**
 * Rows of a Parquet file, read by hyparquet, one row group at a time and only the columns that are wanted (all of them
 * if none is). Text is what the file says is text; other byte arrays stay bytes.
 * @throws E_DATA_INVALID for a damaged file, E_LIMIT_BYTES for a row group past 1 GiB, E_IO, E_PATH_SPECIAL
 */
export async function openParquet(path: string, isWanted: (column: string) => boolean): Promise<RowReader> {
  const metadata = await reading(path, async (file) => {
    const { parquetMetadataAsync } = await import('hyparquet');
    // hyparquet looks at the end alone; what was cut off in front would show as rubbish.
    const start = Buffer.from(await file.slice(0, 4)).toString('latin1');
    if (start !== 'PAR1') throw new Error('it does not begin with PAR1');
    const found = await parquetMetadataAsync(file);
    return { ...found, groups: rowGroups(found, path) };
  });
  const { groups } = metadata;
  const names = [...(groups[0]?.byteLengths.keys() ?? [])];
  const wanted = names.filter(isWanted);
  const columns = wanted.length > 0 ? wanted : names;
  return {
    total: groups.at(-1)?.end ?? 0,
    folder: dirname(path),
    hasBatchAxis: false,
    columns: {},
    files: [path],
    rows: (selection) => selectedRows(path, metadata, groups, columns, selection),
  };
}

/** Where each row group begins. What the footer says is checked, since it sizes what is decoded. */
function rowGroups({ row_groups, num_rows }: FileMetaData, path: string): RowGroup[] {
  let first = 0;
  const groups = row_groups.map((group) => {
    const count = Number(group.num_rows);
    if (!Number.isInteger(count) || count < 0 || count > mostRowsInGroup)
      throw dataError(placeOfFile(path), `a row group claims ${count} rows; at most ${mostRowsInGroup} are read`);
    const byteLengths = new Map<string, number>();
    for (const { meta_data } of group.columns) {
      const name = meta_data?.path_in_schema[0];
      if (!meta_data || name === undefined) throw dataError(placeOfFile(path), 'a column without a description');
      byteLengths.set(name, (byteLengths.get(name) ?? 0) + Number(meta_data.total_uncompressed_size));
    }
    const begin = first;
    first += count;
    return { first: begin, end: first, byteLengths };
  });
  if (BigInt(first) !== num_rows)
    throw dataError(placeOfFile(path), `the file claims ${num_rows} rows, but its row groups have ${first}`);
  return groups;
}

async function* selectedRows(
  path: string,
  metadata: FileMetaData,
  groups: readonly RowGroup[],
  columns: readonly string[],
  selection: Selection,
): AsyncGenerator<Row> {
  let pending: number[] = [];
  let group = 0;
  const endOf = (): number => groups[group]?.end ?? Number.POSITIVE_INFINITY;
  for (const index of selection.indices()) {
    if (index >= endOf()) {
      yield* rowsOfGroup(path, metadata, groups[group] as RowGroup, columns, pending);
      pending = [];
      while (index >= endOf()) group++;
    }
    pending.push(index);
  }
  if (pending.length > 0) yield* rowsOfGroup(path, metadata, groups[group] as RowGroup, columns, pending);
}

/** Rows of one group, by ascending indices. */
async function* rowsOfGroup(
  path: string,
  metadata: FileMetaData,
  group: RowGroup,
  columns: readonly string[],
  indices: readonly number[],
): AsyncGenerator<Row> {
  if (indices.length === 0) return;
  requireSize(path, group, columns);
  const rowStart = indices[0] as number;
  const rowEnd = (indices.at(-1) as number) + 1;
  const rows = await reading(path, async (file) => {
    const [{ parquetReadObjects }, { compressors }] = await Promise.all([
      import('hyparquet'),
      import('hyparquet-compressors'),
    ]);
    const options = { file, metadata, columns: [...columns], rowStart, rowEnd, compressors, utf8: false };
    return parquetReadObjects({ ...options, useOffsetIndex: true });
  });
  for (const index of indices) {
    const fields = rows[index - rowStart];
    const place = placeOfRow(path, index);
    if (!fields) throw dataError(place, 'the file has fewer rows than it claims');
    yield { index, place, fields };
  }
}

function requireSize(path: string, { first, byteLengths }: RowGroup, columns: readonly string[]): void {
  const byteLength = columns.reduce((sum, name) => sum + (byteLengths.get(name) ?? 0), 0);
  if (byteLength >= 0 && byteLength <= largestRowGroup) return;
  throw dataError(
    placeOfRow(path, first),
    `its row group takes ${byteLength} bytes; at most ${largestRowGroup} are read`,
    {
      code: 'E_LIMIT_BYTES',
      hint: 'Write the file with smaller row groups.',
      context: { byteLength, limit: largestRowGroup },
    },
  );
}

/** Gives the file to hyparquet; whatever it throws means that the file is damaged. */
async function reading<T>(path: string, action: (file: AsyncBuffer) => Promise<T>): Promise<T> {
  const source = new FileSource(path);
  try {
    return await action({ byteLength: source.byteLength, slice: (start, end) => slice(source, start, end) });
  } catch (error) {
    if (OptimumError.isInstance(error) && error.code !== 'E_MODEL_WIRE') throw error;
    throw dataError(placeOfFile(path), `not a Parquet file that can be read (${messageOf(error)})`, {
      hint: 'Is it complete? Download or write it again.',
      cause: error,
    });
  } finally {
    source.close();
  }
}

function slice(source: FileSource, start: number, end: number = source.byteLength): ArrayBuffer {
  const from = start < 0 ? Math.max(0, source.byteLength + start) : start;
  const byteLength = Math.min(end, source.byteLength) - from;
  if (!(byteLength >= 0 && byteLength <= largestRowGroup))
    throw new RangeError(`bytes ${start} to ${end} are asked for`);
  const bytes = new Uint8Array(byteLength);
  source.readInto(bytes, from);
  return bytes.buffer;
}
