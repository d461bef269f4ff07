import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { OptimumError } from '@optimum/core';
import { messageOf } from '../data-error.ts';
import { readJson, readSettings } from '../files/read-json.ts';
import { type ModelFiles, sizeIn } from './model-files.ts';

/** Tokens of one text or pair; three lists of one length. */
export interface Tokens {
  readonly ids: readonly number[];
  readonly attentionMask: readonly number[];
  readonly tokenTypeIds: readonly number[];
}

export type Tokenize = (text: string, pair: string | undefined) => Tokens;

export interface TokenizerOptions {
  /** Tokens at most. */
  readonly maxLength?: number | undefined;
  /** The one length that the model takes: what is shorter is padded. */
  readonly fixedLength?: number | undefined;
}

/** Where neither the tokenizer nor the model says how long a text may be. */
const defaultLength = 512;
/** Some tokenizers say 1e30 for "any". */
const longestLength = 1e6;

/** Models whose positions begin behind that of padding, so that two of their rows are never used. */
const offsetPositions = /roberta|camembert|mpnet|longformer|ibert|xmod|^esm$|data2vec-text/;

/**
 * The tokenizer of a model folder, as `@huggingface/transformers` applies it: special tokens added, and what is too long
 * cut at its end, special tokens included.
 * @throws E_DATA_INVALID when the folder has none, E_CONFIG_SYNTAX and E_CONFIG_SCHEMA when it is broken
 */
export async function openTokenizer(files: ModelFiles, options: TokenizerOptions): Promise<Tokenize> {
  const path = join(files.folder, 'tokenizer.json');
  if (!existsSync(path))
    throw new OptimumError('E_DATA_INVALID', `The data is text, but ${files.folder} has no tokenizer.json.`, {
      hint: 'Give named tensors, or a model folder with its tokenizer.',
    });
  const settings = readSettings(join(files.folder, 'tokenizer_config.json'));
  const tokenizer = await makeTokenizer(path, settings);
  const { fixedLength } = options;
  const most = Math.min(options.maxLength ?? Number.POSITIVE_INFINITY, fixedLength ?? longest(files, settings));
  const padding = { id: paddingId(tokenizer, settings, files), isLeft: settings.padding_side === 'left' };
  return (text, pair) => {
    const { ids, attention_mask, token_type_ids } = tokenizer.encode(text, {
      ...(pair !== undefined && { text_pair: pair }),
      return_token_type_ids: true,
    });
    const lengthen = (list: readonly number[], value: number): readonly number[] =>
      padded(list.slice(0, most), fixedLength ?? 0, value, padding.isLeft);
    return {
      ids: lengthen(ids, padding.id),
      attentionMask: lengthen(attention_mask, 0),
      tokenTypeIds: lengthen(token_type_ids ?? ids.map(() => 0), 0),
    };
  };
}

function padded(list: readonly number[], length: number, value: number, isLeft: boolean): readonly number[] {
  if (list.length >= length) return list;
  const padding = new Array<number>(length - list.length).fill(value);
  return isLeft ? [...padding, ...list] : [...list, ...padding];
}

async function makeTokenizer(path: string, settings: Readonly<Record<string, unknown>>) {
  const { Tokenizer } = await import('@huggingface/tokenizers');
  try {
    return new Tokenizer(readJson(path) as object, settings);
  } catch (error) {
    if (OptimumError.isInstance(error)) throw error;
    throw new OptimumError('E_CONFIG_SCHEMA', `${path} is no tokenizer: ${messageOf(error)}.`, {
      cause: error,
      hint: 'Download it again, or give named tensors.',
    });
  }
}

/** What tokenizer and model allow. */
function longest(files: ModelFiles, { model_max_length }: Readonly<Record<string, unknown>>): number {
  const positions = sizeIn(files, 'max_position_embeddings', 'n_positions');
  const unused = offsetPositions.test(String(files.config.model_type)) ? 2 : 0;
  const limits = [model_max_length, positions === undefined ? undefined : positions - unused].filter(
    (limit): limit is number => typeof limit === 'number' && limit > 0 && limit <= longestLength,
  );
  return limits.length > 0 ? Math.min(...limits) : defaultLength;
}

function paddingId(
  tokenizer: { token_to_id(token: string): number | undefined },
  { pad_token }: Readonly<Record<string, unknown>>,
  { config }: ModelFiles,
): number {
  const content =
    typeof pad_token === 'object' && pad_token !== null && 'content' in pad_token ? pad_token.content : pad_token;
  const id = typeof content === 'string' ? tokenizer.token_to_id(content) : undefined;
  return id ?? (typeof config.pad_token_id === 'number' ? config.pad_token_id : 0);
}
