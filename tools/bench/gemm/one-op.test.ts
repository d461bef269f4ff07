import { describe, expect, it } from 'vitest';
// @ts-expect-error: plain JavaScript
import { isFusable } from './apart.mjs';
// @ts-expect-error: plain JavaScript
import { fusedText, productsText, timeOf } from './one-op.mjs';

const small = { rows: 4, depth: 64, columns: 32 };

describe('the products that are timed', () => {
  it.each([
    ['one', productsText({ ...small, batch: 1 }, 1), 'MatMulInteger'],
    ['several with weights of their own', productsText(small, 3), 'MatMulInteger'],
    ['of two activations', productsText({ ...small, batch: 2 }, 1), 'MatMulInteger'],
    ['fused', fusedText({ ...small, op: 'MatMulIntegerToFloat', batch: 1 }), 'MatMulIntegerToFloat'],
    [
      'fused, of two activations',
      fusedText({ ...small, op: 'MatMulIntegerToFloat', batch: 2 }),
      'MatMulIntegerToFloat',
    ],
    ['fused, dynamic', fusedText({ ...small, op: 'DynamicQuantizeMatMul', batch: 1 }), 'DynamicQuantizeMatMul'],
  ])('%s', async (_, text, op) => {
    expect(await timeOf(text, op, 3)).toBeGreaterThan(0);
  });

  it('are those whose parts can be timed', () => {
    expect(['MatMulIntegerToFloat', 'DynamicQuantizeMatMul', 'QLinearMatMul'].map(isFusable)).toEqual([
      true,
      true,
      false,
    ]);
  });
});
