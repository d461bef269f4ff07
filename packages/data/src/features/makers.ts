import type { TensorData } from '@optimum/core';
import { dataError, messageOf, type Place, withPlace } from '../data-error.ts';
import type { Columns } from '../rows/row.ts';
import type { SessionInput } from '../session-inputs.ts';
import { assignInputs, type Kind } from './assign-inputs.ts';
import { type MakeTensors, openAudio, openImages } from './media-features.ts';
import type { ModelFiles } from './model-files.ts';
import { textTensors } from './text-features.ts';
import { openTokenizer, type Tokenize, type Tokens } from './tokenizer.ts';

type Fields = Readonly<Record<string, unknown>>;

/** 1 million characters: tokenizers take some hundred bytes for each. */
const longestText = 1e6;

export interface MakerOptions {
  readonly files: ModelFiles;
  readonly inputs: ReadonlyMap<string, SessionInput>;
  /** What paths in rows are relative to. */
  readonly folder: string;
  readonly maxLength: number | undefined;
}

/** Makes inputs of the text, image or audio of a row. Tokenizer and processors are opened when the first row needs them. */
export class Makers {
  readonly #options: MakerOptions;
  #tokenizer: Promise<Tokenize> | undefined;
  #images: MakeTensors | undefined;
  #audio: MakeTensors | undefined;

  constructor(options: MakerOptions) {
    this.#options = options;
  }

  /** Inputs by name; none when the model takes nothing of what can be made. */
  async make(kind: Kind, fields: Fields, columns: Columns, place: Place): Promise<ReadonlyMap<string, TensorData>> {
    const { files, inputs, folder } = this.#options;
    if (kind === 'text') return this.#text(fields, columns, place);
    let make = this.#images;
    if (kind === 'image') make = this.#images ??= openImages(files, folder);
    else make = this.#audio ??= openAudio(files, folder);
    try {
      return assignInputs(await make(fields[columns[kind] as string], place), inputs);
    } catch (error) {
      throw withPlace(error, place);
    }
  }

  async #text(fields: Fields, columns: Columns, place: Place): Promise<ReadonlyMap<string, TensorData>> {
    const { files, inputs, maxLength } = this.#options;
    const text = textOf(fields, columns.text as string, place) as string;
    const pair = columns.textPair === undefined ? undefined : textOf(fields, columns.textPair, place);
    const size = inputs.get('input_ids')?.shape?.[1];
    this.#tokenizer ??= openTokenizer(files, { maxLength, fixedLength: typeof size === 'number' ? size : undefined });
    const tokenize = await this.#tokenizer;
    const tokens = tokensOf(tokenize, text, pair, place);
    return textTensors(tokens, inputs.values(), files);
  }
}

/** The text in a field; `undefined` where the row has no such field. */
function textOf(fields: Fields, name: string, place: Place): string | undefined {
  const value = fields[name];
  if (value === undefined) return undefined;
  const text = value instanceof Uint8Array ? decoded(value) : value;
  if (typeof text !== 'string') throw dataError(place, `"${name}" is no text`);
  if (text.length <= longestText) return text;
  throw dataError(place, `"${name}" has ${text.length} characters; at most ${longestText} are tokenized`, {
    code: 'E_LIMIT_BYTES',
    hint: 'Split it, or cut it: models see a few thousand characters.',
  });
}

/** Older Parquet files do not say that their bytes are text. */
function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function tokensOf(tokenize: Tokenize, text: string, pair: string | undefined, place: Place): Tokens {
  let tokens: Tokens;
  try {
    tokens = tokenize(text, pair);
  } catch (error) {
    throw dataError(place, `the tokenizer fails on it (${messageOf(error)})`, { cause: error });
  }
  if (tokens.ids.length === 0) throw dataError(place, 'the text has no tokens');
  // A word that is not in the vocabulary of a tokenizer without a token for unknown ones.
  if (!tokens.ids.every(Number.isSafeInteger))
    throw dataError(place, 'the tokenizer has no number for a part of the text');
  return tokens;
}
