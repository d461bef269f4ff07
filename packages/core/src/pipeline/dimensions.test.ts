import { describe, expect, it } from 'vitest';
import { bindDimensions, bindShape } from './dimensions.ts';

const inputs = [
  { name: 'input_ids', shape: ['batch_size', 'sequence_length'] },
  { name: 'attention_mask', shape: ['batch_size', 'past_sequence_length + sequence_length'] },
  { name: 'past.0.key', shape: ['batch_size', 2, 'past_sequence_length', 8] },
  { name: 'x', shape: [null, 3, null] },
] as const;

describe('bindDimensions', () => {
  it('gives two different sizes to every dynamic dimension, and the same to the same symbol', () => {
    const [a, b] = [bindDimensions(inputs, 0), bindDimensions(inputs, 1)];
    for (const [symbol, size] of a) expect(b.get(symbol), symbol).not.toBe(size);
    expect(bindShape('input_ids', inputs[0].shape, a)).toEqual([1, 16]);
  });

  it('evaluates sums of symbols', () => {
    const bindings = bindDimensions(inputs, 0);
    expect(bindShape('attention_mask', inputs[1].shape, bindings)).toEqual([1, 20]);
  });

  it('takes sizes by symbol or by kind', () => {
    const bindings = bindDimensions(
      inputs,
      0,
      new Map([
        ['sequence', 128],
        ['batch_size', 4],
      ]),
    );
    expect(bindShape('input_ids', inputs[0].shape, bindings)).toEqual([4, 128]);
  });

  it('names what has no name after its place', () => {
    expect(bindShape('x', inputs[3].shape, bindDimensions(inputs, 1))).toEqual([2, 3, 13]);
  });
});
