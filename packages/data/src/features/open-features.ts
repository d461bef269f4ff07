import type { TensorData } from '@optimum/core';
import { dataError } from '../data-error.ts';
import { resolveContained } from '../files/contained-path.ts';
import { columnsOf, isMedia } from '../rows/known-columns.ts';
import { type Columns, DataTensor, type Row, type RowReader } from '../rows/row.ts';
import { type SessionInput, type SessionInputs, unionOfInputs } from '../session-inputs.ts';
import { type Kind, kinds, takes } from './assign-inputs.ts';
import { clash, notTaken, requireColumns, requireUse } from './explain-row.ts';
import type { Feeds } from './feeds.ts';
import { fitInput } from './fit-input.ts';
import { Makers } from './makers.ts';
import { openModelFiles } from './model-files.ts';
import { packTensor } from './pack-tensor.ts';
import { inBatch } from './tensor.ts';

export interface FeatureOptions {
  readonly model: string;
  readonly sessions: readonly SessionInputs[];
  readonly columns: Columns;
  readonly maxLength?: number | undefined;
  readonly preprocessor?: string | undefined;
}

/** What is made of the rows of a data set. */
export interface Features {
  /**
   * Inputs of a row: tensors by their names, text by the tokenizer of the model folder, images and audio by its
   * preprocessing. Every sample can be used by at least one session.
   * @throws E_DATA_INVALID and E_DATA_MISMATCH with the place, and what tokenizer and processors throw
   */
  feedsOf(row: Row): Promise<Feeds>;
  /** Real paths of the files that a row names and that are read for it. @throws E_PATH_ESCAPE, E_IO */
  filesOf(row: Row): readonly string[];
}

/** @throws E_CONFIG_SYNTAX for a broken config.json of the model */
export function openFeatures(reader: RowReader, options: FeatureOptions): Features {
  const { sessions, columns: given, maxLength } = options;
  const inputs = unionOfInputs(sessions);
  const files = openModelFiles(options.model, options.preprocessor);
  const makers = new Makers({ files, inputs, folder: reader.folder, maxLength });
  const columnsOfRow = ({ fields }: Row): Columns => columnsOf(fields, given, reader.columns);

  const addTensors = (row: Row, feeds: Map<string, TensorData>): void => {
    for (const input of inputs.values()) {
      if (!isNamedTensor(row.fields, input)) continue;
      const tensor = namedTensor(row, input);
      const batch = reader.hasBatchAxis ? tensor : inBatch(tensor, input.shape);
      feeds.set(input.name, fitInput(batch, input, !reader.hasBatchAxis, files, row.place));
    }
  };
  const addMade = async (row: Row, columns: Columns, kind: Kind, feeds: Map<string, TensorData>): Promise<void> => {
    const made = await makers.make(kind, row.fields, columns, row.place);
    if (made.size === 0) throw notTaken(kind, inputs, row.place);
    for (const [name, tensor] of made) {
      if (feeds.has(name)) throw clash(name, columns[kind] as string, row.place);
      feeds.set(name, fitInput(tensor, inputs.get(name) as SessionInput, true, files, row.place));
    }
  };
  return {
    async feedsOf(row) {
      requireColumns(row, given);
      const columns = columnsOfRow(row);
      const feeds = new Map<string, TensorData>();
      addTensors(row, feeds);
      for (const kind of kindsToMake(row, columns, inputs, feeds.size > 0)) await addMade(row, columns, kind, feeds);
      const result = Object.fromEntries(feeds);
      requireUse(result, sessions, row, columns);
      return result;
    },
    filesOf(row) {
      const columns = columnsOfRow(row);
      const named = kindsToMake(row, columns, inputs, true).filter((kind) => kind !== 'text');
      return named.flatMap((kind) => {
        const path = row.fields[columns[kind] as string];
        return typeof path === 'string' ? [resolveContained(reader.folder, path, row.place)] : [];
      });
    },
  };
}

/** What the model takes; where nothing can be used at all, everything, so that the reason is told. */
function kindsToMake(
  { fields }: Row,
  columns: Columns,
  inputs: ReadonlyMap<string, SessionInput>,
  hasTensors: boolean,
): readonly Kind[] {
  const present = kinds.filter((kind) => {
    const name = columns[kind];
    if (name === undefined || !Object.hasOwn(fields, name)) return false;
    const input = inputs.get(name);
    return !(input && isNamedTensor(fields, input));
  });
  const taken = present.filter((kind) => takes(kind, inputs));
  return taken.length > 0 || hasTensors ? taken : present;
}

/** Text, bytes and files are made into inputs, even when a column is called as one of them. */
const isNamedTensor = (fields: Row['fields'], { name, elementType }: SessionInput): boolean =>
  Object.hasOwn(fields, name) && (elementType === 'string' || !isMedia(fields[name]));

function namedTensor({ fields, place }: Row, { name, elementType }: SessionInput): TensorData {
  const value = fields[name];
  if (value instanceof DataTensor) return value.tensor;
  const tensor = packTensor(value, elementType);
  if (typeof tensor !== 'string') return tensor;
  throw dataError(place, `"${name}" ${tensor}`);
}
