import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Words that the tokenizer of a test knows, by id from 0. */
export const vocabulary = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'one', 'two', 'three', 'four', 'five'] as const;

const wordPieces = { max_input_chars_per_word: 100, continuing_subword_prefix: '##' };

/** A model folder with a tokenizer that splits at spaces: `[CLS] text [SEP] pair [SEP]`. */
export function writeTokenizer(
  folder: string,
  settings: object = {},
  config: object = {},
  {
    hasSpecialTokens = true,
    modelType = 'WordPiece',
  }: { readonly hasSpecialTokens?: boolean; readonly modelType?: string } = {},
): string {
  const special = (id: string, type_id: number) => ({ SpecialToken: { id, type_id } });
  const text = { Sequence: { id: 'A', type_id: 0 } };
  const pair = { Sequence: { id: 'B', type_id: 1 } };
  const single = [special('[CLS]', 0), text, special('[SEP]', 0)];
  const processor = {
    type: 'TemplateProcessing',
    single,
    pair: [...single, pair, special('[SEP]', 1)],
    special_tokens: {
      '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] },
      '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] },
    },
  };
  const vocab = Object.fromEntries(vocabulary.map((word, id) => [word, id]));
  const tokenizer = {
    version: '1.0',
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: 'Whitespace' },
    post_processor: hasSpecialTokens ? processor : null,
    decoder: null,
    model: { type: modelType, vocab, unk_token: '[UNK]', ...(modelType === 'WordPiece' && wordPieces) },
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify({ pad_token: '[PAD]', ...settings }));
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  return folder;
}
