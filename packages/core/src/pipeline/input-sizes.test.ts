import { describe, expect, it } from 'vitest';
import { parseModel } from '../text/index.ts';
import { inputSizesOf } from './input-sizes.ts';

describe('inputSizesOf', () => {
  it.each([
    ['int64[batch, sequence] ids, int64[batch, sequence] mask', { batch: 'any', sequence: 'any' }],
    ['int64[1, 128] ids', { batch: 1, sequence: 128 }],
    ['int64[1, total_sequence_length] mask', { batch: 1, sequence: 'any' }],
    ['float[batch, 3, 224, 224] pixels', { batch: 'any', sequence: undefined }],
    ['float[2, 8] a, float[3, 8] b', { batch: undefined, sequence: undefined }],
  ])('%s', (inputs, sizes) => {
    const first = inputs.split(/[\s,\]]+/).find((word) => /^(ids|mask|pixels|a)$/.test(word));
    const text = `<ir_version: 8, opset_import: ["" : 17]> g (${inputs}) => (y) { y = Identity(${first}) }`;
    expect(inputSizesOf(parseModel(text))).toEqual(sizes);
  });
});
