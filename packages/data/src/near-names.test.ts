import { expect, it } from 'vitest';
import { didYouMean } from './near-names.ts';

it.each([
  ['txt', ['label', 'text'], 'Did you mean "text"?'],
  ['Input-Ids', ['attention_mask', 'input_ids'], 'Did you mean "input_ids"?'],
  ['attention_msk', ['input_ids', 'attention_mask'], 'Did you mean "attention_mask"?'],
  ['nothing', ['text', 'label'], undefined],
  ['x'.repeat(1e6), ['text'], undefined],
])('%.20s among %j', (name, known, expected) => {
  expect(didYouMean(name, known)).toBe(expected);
});
