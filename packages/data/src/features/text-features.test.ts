import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dim, ElementType } from '@optimum/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readFeeds } from '../open-data.ts';
import type { SessionInput } from '../session-inputs.ts';
import { valuesOf } from './element-values.ts';
import { writeTokenizer } from './tokenizer-fixture.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'optimum-text-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const input = (
  name: string,
  shape: readonly Dim[] = ['batch', 'sequence'],
  elementType: ElementType = 'int64',
): SessionInput => ({ name, elementType, shape });

/** Inputs of one text as plain numbers, with their dimensions. */
async function made(inputs: readonly SessionInput[], text: unknown, options: { readonly maxLength?: number } = {}) {
  const source = join(root, 'data.jsonl');
  writeFileSync(source, JSON.stringify(text));
  const [feeds] = await readFeeds({ source, model: root, sessions: [{ name: 'model', inputs }], ...options });
  return Object.fromEntries(
    Object.entries(feeds ?? {}).map(([name, tensor]) => [name, [tensor.dims, Array.from(valuesOf(tensor), Number)]]),
  );
}

describe('inputs made of text', () => {
  it('are ids, masks, types and positions of the elements that the model takes', async () => {
    writeTokenizer(root);
    const inputs = [
      input('input_ids', undefined, 'int32'),
      input('attention_mask', undefined, 'float32'),
      input('token_type_ids'),
      input('position_ids'),
    ];
    expect(await made(inputs, { text: 'one two', text_pair: 'three' })).toEqual({
      input_ids: [
        [1, 6],
        [2, 4, 5, 3, 6, 3],
      ],
      attention_mask: [
        [1, 6],
        [1, 1, 1, 1, 1, 1],
      ],
      token_type_ids: [
        [1, 6],
        [0, 0, 0, 0, 1, 1],
      ],
      position_ids: [
        [1, 6],
        [0, 1, 2, 3, 4, 5],
      ],
    });
  });

  it('are cut at their end, as the tokenizer, the model and the user say', async () => {
    const ids = async (config: object, settings: object, maxLength?: number) => {
      writeTokenizer(root, settings, config);
      const feeds = await made([input('input_ids')], 'one two three four five', maxLength ? { maxLength } : {});
      return feeds.input_ids?.[0];
    };
    expect(await ids({}, {})).toEqual([1, 7]);
    expect(await ids({}, { model_max_length: 5 })).toEqual([1, 5]);
    expect(await ids({ max_position_embeddings: 4 }, { model_max_length: 1e30 })).toEqual([1, 4]);
    expect(await ids({ n_positions: 6 }, {})).toEqual([1, 6]);
    expect(await ids({ model_type: 'roberta', max_position_embeddings: 6 }, {})).toEqual([1, 4]);
    expect(await ids({}, { model_max_length: 5 }, 3)).toEqual([1, 3]);
    expect(await ids({}, { model_max_length: 5 }, 6)).toEqual([1, 5]);
  });

  it('are padded where the model takes one length, and repeated where it takes one batch', async () => {
    writeTokenizer(root);
    const fixed = [input('input_ids', [2, 5]), input('attention_mask', [2, 5]), input('position_ids', [2, 5])];
    expect(await made(fixed, 'one')).toEqual({
      input_ids: [
        [2, 5],
        [2, 4, 3, 0, 0, 2, 4, 3, 0, 0],
      ],
      attention_mask: [
        [2, 5],
        [1, 1, 1, 0, 0, 1, 1, 1, 0, 0],
      ],
      position_ids: [
        [2, 5],
        [0, 1, 2, 3, 4, 0, 1, 2, 3, 4],
      ],
    });
    expect((await made(fixed, 'one two three four')).input_ids).toEqual([
      [2, 5],
      [2, 4, 5, 6, 7, 2, 4, 5, 6, 7],
    ]);
  });

  it('are padded on the left where the tokenizer says so', async () => {
    writeTokenizer(root, { padding_side: 'left', pad_token: { content: '[UNK]' } });
    const fixed = [input('input_ids', [1, 5]), input('attention_mask', [1, 5]), input('position_ids', [1, 5])];
    expect(await made(fixed, 'one')).toEqual({
      input_ids: [
        [1, 5],
        [1, 1, 2, 4, 3],
      ],
      attention_mask: [
        [1, 5],
        [0, 0, 1, 1, 1],
      ],
      position_ids: [
        [1, 5],
        [0, 0, 0, 1, 2],
      ],
    });
  });

  it('are the text itself, moved on by one, for decoders, and an empty cache', async () => {
    writeTokenizer(root, {}, { decoder_start_token_id: 8 });
    const inputs = [
      input('input_ids'),
      input('decoder_input_ids'),
      input('decoder_attention_mask'),
      input('past_key_values.0.key', ['batch', 4, 'past_sequence_length', 16], 'float32'),
      input('use_cache_branch', [1], 'bool'),
    ];
    expect(await made(inputs, 'one two')).toEqual({
      input_ids: [
        [1, 4],
        [2, 4, 5, 3],
      ],
      decoder_input_ids: [
        [1, 4],
        [8, 2, 4, 5],
      ],
      decoder_attention_mask: [
        [1, 4],
        [1, 1, 1, 1],
      ],
      'past_key_values.0.key': [[1, 4, 0, 16], []],
      use_cache_branch: [[1], [0]],
    });
  });

  it('have to be in the vocabulary of the model, and to be there', async () => {
    writeTokenizer(root, {}, { text_config: { vocab_size: 4 } });
    await expect(made([input('input_ids')], 'one')).rejects.toMatchObject({
      code: 'E_DATA_MISMATCH',
      message: expect.stringMatching(/data\.jsonl:1: "input_ids" holds 4, but .* from 0 to 3/),
    });
    writeTokenizer(root, {}, {}, { hasSpecialTokens: false });
    await expect(made([input('input_ids')], '')).rejects.toThrow(/data\.jsonl:1: the text has no tokens/);
    writeTokenizer(root, {}, {}, { modelType: 'WordLevel' });
    await expect(made([input('input_ids')], 'one unknown')).rejects.toThrow(/has no number for a part of the text/);
  });

  it('are not made of a text of a million characters', async () => {
    writeTokenizer(root);
    await expect(made([input('input_ids')], 'one '.repeat(300_000))).rejects.toMatchObject({ code: 'E_LIMIT_BYTES' });
  });

  it('are told apart from a model that takes no text', async () => {
    writeTokenizer(root);
    await expect(made([input('x', ['batch', 2], 'float32')], 'one')).rejects.toMatchObject({
      code: 'E_DATA_MISMATCH',
      message: expect.stringMatching(/data\.jsonl:1: the model takes no text \(it has x\)/),
    });
  });
});
