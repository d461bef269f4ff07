import type { TensorData } from '@optimum/core';
import type { SessionInput } from '../session-inputs.ts';
import { bytesOfValues } from './element-values.ts';
import { type ModelFiles, sizeIn } from './model-files.ts';
import type { Tokens } from './tokenizer.ts';

/** Lists of one number per token that text models take. */
const listInputs: Readonly<Record<string, (tokens: Tokens, files: ModelFiles) => readonly number[]>> = {
  input_ids: ({ ids }) => ids,
  attention_mask: ({ attentionMask }) => attentionMask,
  token_type_ids: ({ tokenTypeIds }) => tokenTypeIds,
  position_ids: ({ attentionMask }) => positions(attentionMask),
  decoder_input_ids: ({ ids }, files) => [decoderStart(files), ...ids.slice(0, -1)],
  decoder_attention_mask: ({ attentionMask }) => attentionMask,
};

/** Keys and values of tokens that came before. */
const isPast = (name: string): boolean => /^past([._]|_key_values)/.test(name);

/** Whether an input is one of those that text is made into. */
export const isTextInput = (name: string): boolean =>
  Object.hasOwn(listInputs, name) || isPast(name) || name === 'use_cache_branch';

/**
 * Inputs of a batch of one: int lists as [1, sequence]. Decoders get the text itself, behind the token that starts them,
 * and an empty cache. Inputs that are not made of text are left out.
 * @source transformers BartModel.forward and shift_tokens_right, for models without decoder inputs of their own
 */
export function textTensors(
  tokens: Tokens,
  inputs: Iterable<SessionInput>,
  files: ModelFiles,
): ReadonlyMap<string, TensorData> {
  const tensors = new Map<string, TensorData>();
  for (const { name, elementType, shape } of inputs) {
    const list = Object.hasOwn(listInputs, name) ? listInputs[name]?.(tokens, files) : undefined;
    const tensor = (dims: readonly number[], values: readonly number[]): TensorData => ({
      elementType,
      dims,
      bytes: bytesOfValues(values, elementType),
    });
    if (list) tensors.set(name, tensor([1, list.length], list));
    else if (name === 'use_cache_branch') tensors.set(name, tensor([1], [0]));
    else if (isPast(name) && shape) tensors.set(name, tensor(emptyCache(shape), []));
  }
  return tensors;
}

/** Positions of tokens: those of padding in front of a text do not count. */
function positions(mask: readonly number[]): number[] {
  const padding = Math.max(0, mask.indexOf(1));
  return mask.map((_, index) => Math.max(0, index - padding));
}

function decoderStart(files: ModelFiles): number {
  const { config } = files;
  const ids = [config.decoder_start_token_id, config.bos_token_id, config.pad_token_id];
  return ids.find((id): id is number => Number.isSafeInteger(id)) ?? 0;
}

/** One in the batch, and no token; sizes that the model gives stay. */
const emptyCache = (shape: readonly (number | string | null)[]): number[] =>
  shape.map((dim, axis) => (typeof dim === 'number' ? dim : axis === 0 ? 1 : 0));

/** How many different numbers an input may hold, or `undefined` when `config.json` does not say. */
export function vocabularyOf(name: string, files: ModelFiles): number | undefined {
  if (name === 'input_ids') return sizeIn(files, 'vocab_size');
  if (name === 'decoder_input_ids') return sizeIn(files, 'decoder_vocab_size', 'vocab_size');
  return name === 'token_type_ids' ? sizeIn(files, 'type_vocab_size') : undefined;
}
