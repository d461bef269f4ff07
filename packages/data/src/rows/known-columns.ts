import { type Columns, DataFile } from './row.ts';

/** Usual names of texts, and of the second text that goes with each. The first pair of which a row has the text counts. */
const textColumns: readonly (readonly [text: string, ...pairs: string[]])[] = [
  ['text', 'text_pair'],
  ['sentence1', 'sentence2'],
  ['premise', 'hypothesis'],
  ['question1', 'question2'],
  ['question', 'context', 'sentence', 'passage', 'answer'],
  ['query', 'passage', 'document'],
  ['sentence'],
  ['content'],
  ['review'],
  ['document'],
  ['prompt'],
];
const imageColumns = ['image', 'images', 'img', 'file_name'];
const audioColumns = ['audio', 'waveform', 'speech', 'wav', 'file_name'];
const labelColumns = ['label', 'labels', 'score', 'similarity_score', 'target', 'stars', 'rating', 'gold_label'];

/** Every name that is known without being told. */
export const allKnownColumns: readonly string[] = [
  ...textColumns.flat(),
  ...imageColumns,
  ...audioColumns,
  ...labelColumns,
];

/** What the fields of a row are: as the user says, else as the reader knows, else by their usual names in any case. */
export function columnsOf(fields: Readonly<Record<string, unknown>>, given: Columns, reader: Columns): Columns {
  const byName = new Map(Object.keys(fields).map((name) => [name.toLowerCase(), name]));
  const usual = (names: readonly string[]): string | undefined =>
    byName.get(names.find((name) => byName.has(name)) ?? '');
  const usualText = textColumns.find(([name]) => byName.has(name));
  const text = given.text ?? reader.text;
  // A second text goes with the first one: where the first alone is named, there is no second.
  const pair = given.textPair ?? (given.text === undefined ? reader.textPair : undefined);
  return {
    text: text ?? usual(usualText?.slice(0, 1) ?? []),
    textPair: pair ?? (text === undefined ? usual(usualText?.slice(1) ?? []) : undefined),
    image: given.image ?? reader.image ?? usual(imageColumns),
    audio: given.audio ?? reader.audio ?? usual(audioColumns),
    label: given.label ?? reader.label ?? usual(labelColumns),
  };
}

/** Text, bytes, or a reference to a file, as opposed to a tensor. */
export const isMedia = (value: unknown): boolean =>
  typeof value === 'string' || value instanceof Uint8Array || value instanceof DataFile || isBytesStruct(value);

/** How Hugging Face datasets store images and audio in Parquet. */
export interface BytesStruct {
  readonly bytes: Uint8Array;
  readonly path?: unknown;
}

export const isBytesStruct = (value: unknown): value is BytesStruct =>
  typeof value === 'object' && value !== null && 'bytes' in value && value.bytes instanceof Uint8Array;
