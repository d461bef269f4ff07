import { describe, expect, it } from 'vitest';
import type { TensorData } from '../backend/index.ts';
import { parseModel } from '../text/index.ts';
import { numbersOf } from './compare-outputs.ts';
import { makeInputs } from './make-inputs.ts';

const inputsOf = (signature: string, body: string, variant: 0 | 1 = 1) => {
  const model = parseModel(`<ir_version: 8, opset_import: ["": 17]> g (${signature}) => (y) ${body}`);
  return makeInputs(model, { seed: 1, variant });
};

const numbers = (tensor: TensorData | undefined): number[] => Array.from((tensor && numbersOf(tensor)) ?? []);

describe('makeInputs', () => {
  it('makes ids below the size of the table that they index, even behind other operators', () => {
    const { ids } = inputsOf(
      'int64[batch,sequence] ids',
      '<float[5,2] table = {1,2,3,4,5,6,7,8,9,10}> { c = Cast <to = 6> (ids)  y = Gather (table, c) }',
    );
    expect(ids?.dims).toEqual([2, 33]);
    expect(Math.max(...numbers(ids))).toBe(4);
    expect(Math.min(...numbers(ids))).toBe(0);
  });

  it('masks the tail of later rows only', () => {
    const { attention_mask } = inputsOf('int64[batch,sequence] attention_mask', '{ y = Relu (attention_mask) }');
    const rows = numbers(attention_mask);
    expect(rows.slice(0, 33)).not.toContain(0);
    expect(rows.slice(33)).toContain(0);
    expect(rows[33]).toBe(1);
  });

  it('gives masks over a cache the room for what is in it and what comes new', () => {
    const feeds = inputsOf(
      'int64[batch,sequence] ids, int64[batch,total_sequence] attention_mask, float[batch,2,past_sequence,4] past',
      '{ y = Relu (past) }',
    );
    const [sequence, past] = [feeds.ids?.dims[1] ?? 0, feeds.past?.dims[2] ?? 0];
    expect(feeds.attention_mask?.dims[1]).toBe(sequence + past);
  });

  it('makes sound long enough for strided convolutions, and images and numbers that are normal', () => {
    const { input_values, pixel_values } = inputsOf(
      'float[batch,samples] input_values, float[batch,3,8,8] pixel_values',
      '{ y = Relu (input_values) }',
    );
    expect(input_values?.dims[1]).toBeGreaterThan(1000);
    const mean = numbers(pixel_values).reduce((sum, value) => sum + value, 0) / numbers(pixel_values).length;
    expect(Math.abs(mean)).toBeLessThan(0.3);
  });

  it('leaves out inputs that have data, and makes every element type', () => {
    const feeds = inputsOf(
      'float[2] w = {1,2}, bool[n] flag, float16[n] half, double[n] d, int32[n] i, uint8[n] u, string[n] t',
      '{ y = Relu (w) }',
    );
    expect(Object.keys(feeds)).toEqual(['flag', 'half', 'd', 'i', 'u', 't']);
    expect(feeds.t?.strings?.length).toBe(feeds.t?.dims[0]);
    expect(feeds.half?.bytes.byteLength).toBe(2 * (feeds.half?.dims[0] ?? 0));
  });

  it('makes the same bytes from the same seed, and others from another', () => {
    const model = parseModel('<ir_version: 8, opset_import: ["": 17]> g (float[batch,8] x) => (y) { y = Relu (x) }');
    const bytes = (seed: number) => makeInputs(model, { seed, variant: 0 }).x?.bytes;
    expect(bytes(1)).toEqual(bytes(1));
    expect(bytes(1)).not.toEqual(bytes(2));
  });
});
