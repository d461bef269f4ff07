import { internalError, throwIfAborted } from '@optimum/core';
import { type Feeds, feedsOf } from './features/feeds.ts';
import { type Features, openFeatures } from './features/open-features.ts';
import { hashFiles } from './files/hash-files.ts';
import { openRows } from './rows/open-rows.ts';
import type { Columns, RowReader } from './rows/row.ts';
import { type Selection, selectRows } from './selection.ts';
import { readSessionInputs, type SessionInputs } from './session-inputs.ts';

export interface DataOptions {
  /** A file (.jsonl, .txt, .csv, .tsv, .parquet, .safetensors), or a folder of images or WAV files. */
  readonly source: string;
  /** A model folder or an `.onnx` file: tokenizer and preprocessing are those of its folder. */
  readonly model: string;
  /** What the sessions have to be given. @defaultValue read from the model */
  readonly sessions?: readonly SessionInputs[] | undefined;
  /** Samples at most. @defaultValue all */
  readonly samples?: number | undefined;
  /** Decides which samples are taken when there are more. @defaultValue 0 */
  readonly seed?: number | undefined;
  /** Names of fields. @defaultValue the usual ones are known */
  readonly columns?: Columns | undefined;
  /** Tokens of a text at most. @defaultValue what tokenizer and model allow */
  readonly maxLength?: number | undefined;
  /** A file in place of the model folder's `preprocessor_config.json`. */
  readonly preprocessor?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One sample: what sessions are fed. */
export interface DataSample {
  /** Number of the sample in its data set, whichever were selected. */
  readonly index: number;
  readonly feeds: Feeds;
}

/** Samples of one session: what calibration takes. */
export interface SessionData {
  /** The file or folder. */
  readonly source: string;
  /** SHA-256, hexadecimal, of the data; for a folder of names and bytes. */
  readonly hash: string;
  /** Samples that are selected; a session may have use for fewer. */
  readonly count: number;
  /** Samples that there are. */
  readonly total: number;
  /** In ascending order, made when they are asked for; it may be called again. */
  samples(): AsyncIterable<DataSample>;
}

/** Samples of all sessions: `feeds` has the inputs of each session that a sample is for. */
export interface DataSet extends SessionData {
  /** The samples that this session can use, with its inputs alone; `undefined` when there is none. */
  forSession(name: string): Promise<SessionData | undefined>;
}

/**
 * Opens calibration or evaluation data. Everything is looked through once (to count, to hash, to find damage) and the
 * first sample is made; then one sample at a time is in memory, whatever the size of the data.
 * @throws E_DATA_INVALID when the data are broken, E_DATA_MISMATCH when they do not fit the model, both with file and line
 *   or row; E_LIMIT_* past a limit; E_PATH_ESCAPE, E_IO, E_PATH_SPECIAL; E_CONFIG_* and E_UNSUPPORTED_FEATURE for a
 *   tokenizer or preprocessing that cannot be used; E_USAGE for `samples` below 1; E_INTERRUPTED
 */
export async function openData(options: DataOptions): Promise<DataSet> {
  const { source, model, columns = {}, maxLength, preprocessor, signal } = options;
  const sessions = options.sessions ?? readSessionInputs(model);
  const inputNames = sessions.flatMap(({ inputs }) => inputs.map(({ name }) => name));
  const reader = await openRows(source, inputNames, columns, signal);
  const selection = selectRows(reader.total, options.samples, options.seed);
  const features = openFeatures(reader, { model, sessions, columns, maxLength, preprocessor });
  const files = await tryFirst(reader, selection, features);
  if (files.length > 0) files.push(...(await mediaFiles(reader, features, signal)));
  const hash = await hashFiles([...reader.files, ...new Set(files)], reader.folder, signal);
  const samples = () => readSamples(reader, selection, features, signal);
  const data: SessionData = { source, hash, count: selection.count, total: reader.total, samples };
  return {
    ...data,
    forSession: (name) =>
      sessionData(
        data,
        sessions.find((session) => session.name === name),
      ),
  };
}

/** Makes the first sample, so that what does not fit is told before the long work begins. Gives the files it is read of. */
async function tryFirst(reader: RowReader, selection: Selection, features: Features): Promise<string[]> {
  const [first] = selection.indices();
  for await (const row of reader.rows({ count: 1, indices: () => [first as number] })) {
    await features.feedsOf(row);
    return [...features.filesOf(row)];
  }
  throw internalError(`The first of ${reader.total} rows is not there.`);
}

async function* readSamples(
  reader: RowReader,
  selection: Selection,
  features: Features,
  signal: AbortSignal | undefined,
): AsyncGenerator<DataSample> {
  for await (const row of reader.rows(selection)) {
    throwIfAborted(signal);
    yield { index: row.index, feeds: await features.feedsOf(row) };
  }
}

/** Images and audio that rows name by path are data too: those of all rows. */
async function mediaFiles(reader: RowReader, features: Features, signal?: AbortSignal): Promise<string[]> {
  const files: string[] = [];
  for await (const row of reader.rows(selectRows(reader.total))) {
    throwIfAborted(signal);
    files.push(...features.filesOf(row));
  }
  return files;
}

async function sessionData(data: SessionData, session: SessionInputs | undefined): Promise<SessionData | undefined> {
  if (!session) return undefined;
  const samples = () => samplesOf(data, session);
  for await (const _ of samples()) return { ...data, samples };
  return undefined;
}

async function* samplesOf(data: SessionData, session: SessionInputs): AsyncGenerator<DataSample> {
  for await (const { index, feeds } of data.samples()) {
    const own = feedsOf(session, feeds);
    if (own) yield { index, feeds: own };
  }
}

/** The feeds of all samples at once. Memory grows with `samples`. @throws as openData */
export async function readFeeds(options: DataOptions): Promise<Feeds[]> {
  const data = await openData(options);
  const all: Feeds[] = [];
  for await (const { feeds } of data.samples()) all.push(feeds);
  return all;
}
