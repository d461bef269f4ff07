import { type Dirent, readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, extname, join, relative } from 'node:path';
import { dataError, placeOfFile } from '../data-error.ts';
import { resolveContained } from '../files/contained-path.ts';
import { pathError } from '../files/path-error.ts';
import { DataFile, type RowReader } from './row.ts';

const endings: Readonly<Record<string, 'image' | 'audio'>> = {
  '.jpg': 'image',
  '.jpeg': 'image',
  '.png': 'image',
  '.webp': 'image',
  '.gif': 'image',
  '.tif': 'image',
  '.tiff': 'image',
  '.avif': 'image',
  '.wav': 'audio',
};

const tableEndings = new Set(['.jsonl', '.ndjson', '.csv', '.tsv', '.parquet', '.safetensors', '.txt']);
const mostFiles = 1_000_000;
const deepestFolder = 32;

/**
 * Images or WAV files of a folder and the folders below it, in the order of their names; the name of its folder is the
 * label of a file. Hidden files, linked folders and files of other kinds are left out.
 * @throws E_DATA_INVALID when there is none or both kinds, E_PATH_ESCAPE for a link that leads out of the folder,
 *   E_LIMIT_OBJECTS past a million files, E_IO
 */
export function openFolder(folder: string): RowReader {
  const root = attempt(folder, () => realpathSync(folder));
  const found = listFiles(root, folder);
  const kinds = new Set(found.map(kindOf).filter((kind) => kind !== undefined));
  const [kind] = kinds;
  if (kinds.size !== 1 || kind === undefined) throw unusable(folder, found, kinds.size);
  const names = found.filter((name) => kindOf(name) === kind);
  const paths = names.map((name) => resolveContained(root, name, placeOfFile(join(folder, name))));
  return {
    total: names.length,
    folder: root,
    hasBatchAxis: false,
    columns: { [kind]: kind },
    files: paths,
    async *rows(selection) {
      for (const index of selection.indices()) {
        const name = names[index] as string;
        const file = new DataFile(paths[index] as string);
        const label = basename(dirname(name));
        yield {
          index,
          place: placeOfFile(join(folder, name)),
          fields: { [kind]: file, ...(label !== '.' && { label }) },
        };
      }
    },
  };
}

const kindOf = (name: string): 'image' | 'audio' | undefined => endings[extname(name).toLowerCase()];

/** Names relative to `root`, sorted by UTF-16 code units: the same on every machine. */
function listFiles(root: string, shown: string): string[] {
  const files: string[] = [];
  const visit = (folder: string, depth: number): void => {
    if (depth > deepestFolder)
      throw dataError(placeOfFile(join(shown, relative(root, folder))), 'folders are nested too deeply');
    for (const entry of attempt(folder, () => readdirSync(folder, { withFileTypes: true }))) {
      if (entry.name.startsWith('.')) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) visit(path, depth + 1);
      else if (isCandidate(entry)) files.push(relative(root, path).replaceAll('\\', '/'));
      if (files.length > mostFiles)
        throw dataError(placeOfFile(shown), `more than ${mostFiles} files`, { code: 'E_LIMIT_OBJECTS' });
    }
  };
  visit(root, 0);
  return files.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Links to files count as files; whether they may be followed is checked for those that are used. */
const isCandidate = (entry: Dirent): boolean => entry.isFile() || entry.isSymbolicLink();

function unusable(folder: string, found: readonly string[], kinds: number) {
  const place = placeOfFile(folder);
  if (kinds > 1)
    return dataError(place, 'the folder holds both images and audio', { hint: 'Name a folder with one kind.' });
  const table = found.find((name) => tableEndings.has(extname(name).toLowerCase()));
  const what =
    found.length === 0 ? 'the folder holds no file' : `none of the ${found.length} files is an image or a WAV`;
  return dataError(place, what, {
    hint: table
      ? `Name the file itself: ${join(folder, table)}.`
      : `Files that are read end in ${Object.keys(endings).join(', ')}.`,
  });
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw pathError(error, path);
  }
}
