import { statSync } from 'node:fs';
import { extname } from 'node:path';
import { dataError, placeOfFile } from '../data-error.ts';
import { pathError } from '../files/path-error.ts';
import { commaSeparated, openCsv, tabSeparated } from './csv-rows.ts';
import { openFolder } from './folder-rows.ts';
import { allKnownColumns } from './known-columns.ts';
import { openJsonLines, openTextLines } from './line-rows.ts';
import { openParquet } from './parquet-rows.ts';
import type { Columns, RowReader } from './row.ts';
import { openSafetensors } from './safetensors-rows.ts';

/**
 * Opens a folder of images or audio, or a file by its ending.
 * @param inputNames of the model: they tell headers and columns
 * @param given columns that the user named
 * @throws E_DATA_INVALID for other files and for those without a row, and what the readers throw
 */
export async function openRows(
  path: string,
  inputNames: readonly string[],
  given: Columns,
  signal?: AbortSignal,
): Promise<RowReader> {
  const reader = await openReader(path, [...inputNames, ...Object.values(given)], given, signal);
  if (reader.total > 0) return reader;
  throw dataError(placeOfFile(path), 'the file holds no sample', {
    hint: 'One sample per line or row. JSON lines: "text", {"text": …} or {"input name": [[…]]}.',
  });
}

async function openReader(
  path: string,
  names: readonly string[],
  given: Columns,
  signal: AbortSignal | undefined,
): Promise<RowReader> {
  if (isFolder(path)) return openFolder(path);
  const known = new Set([...allKnownColumns, ...names]);
  switch (extname(path).toLowerCase()) {
    case '.jsonl':
    case '.ndjson':
    case '.json':
      return openJsonLines(path, signal);
    case '.txt':
      return openTextLines(path, signal);
    case '.csv':
      return openCsv(path, commaSeparated, names, given, signal);
    case '.tsv':
      return openCsv(path, tabSeparated, names, given, signal);
    case '.parquet':
      return openParquet(path, (column) => known.has(column));
    case '.safetensors':
      return openSafetensors(path);
    default:
      throw dataError(placeOfFile(path), 'what kind of data this is cannot be told from the name', {
        hint: 'Expected .jsonl, .txt, .csv, .tsv, .parquet, .safetensors, or a folder of images or WAV files.',
      });
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw pathError(error, path);
  }
}
