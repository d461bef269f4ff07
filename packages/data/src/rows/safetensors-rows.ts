import { dirname } from 'node:path';
import { quote } from '@optimum/core';
import { FileSource } from '@optimum/core/node';
import { dataError, type Place, placeOfFile, placeOfRow } from '../data-error.ts';
import { DataTensor, type RowReader } from './row.ts';
import { readSafetensorsHeader, type TensorEntry } from './safetensors-header.ts';

/**
 * Rows of a safetensors file: sample `i` is the slice `i` of the first axis of every tensor, without that axis.
 * @throws E_DATA_INVALID for a damaged file, or tensors that differ in their first axis, E_LIMIT_BYTES, E_IO,
 *   E_PATH_SPECIAL
 */
export function openSafetensors(path: string): RowReader {
  const source = new FileSource(path);
  try {
    const entries = readSafetensorsHeader(source);
    return {
      total: samplesIn(entries, placeOfFile(path)),
      folder: dirname(path),
      hasBatchAxis: false,
      columns: {},
      files: [path],
      async *rows(selection) {
        const opened = new FileSource(path);
        try {
          for (const index of selection.indices()) {
            const fields = Object.fromEntries(entries.map((entry) => [entry.name, sampleOf(entry, index, opened)]));
            yield { index, place: placeOfRow(path, index), fields };
          }
        } finally {
          opened.close();
        }
      },
    };
  } finally {
    source.close();
  }
}

function samplesIn(entries: readonly TensorEntry[], place: Place): number {
  const [first] = entries;
  if (!first) return 0;
  const other = entries.find(({ dims }) => dims.length === 0 || dims[0] !== first.dims[0]);
  if (other === undefined) return first.dims[0] as number;
  const shape = ({ name, dims }: TensorEntry): string => `${quote(name)} is [${dims.join(', ')}]`;
  throw dataError(
    place,
    `the tensors differ in their first axis, which counts samples: ${shape(first)}, ${shape(other)}`,
    {
      hint: 'Keep only tensors with one slice per sample in the file.',
    },
  );
}

function sampleOf(
  { elementType, dims, offset, byteLength }: TensorEntry,
  index: number,
  source: FileSource,
): DataTensor {
  const bytes = new Uint8Array(byteLength / (dims[0] as number));
  source.readInto(bytes, offset + index * bytes.byteLength);
  return new DataTensor({ elementType, dims: dims.slice(1), bytes });
}
