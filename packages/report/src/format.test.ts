import { formatBytes, formatMs } from '@optimum/core';
import { describe, expect, it } from 'vitest';
import { counted, formatCount, formatNumber, formatShare } from './format.ts';

describe('formats', () => {
  it.each([
    [999, '999 B'],
    [17_100_000, '17.1 MB'],
    [2.5e9, '2.5 GB'],
  ])('%d bytes', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it.each([
    [4.931, '4.93 ms'],
    [12.41, '12.4 ms'],
    [41_200, '41.2 s'],
  ])('%d milliseconds', (ms, text) => expect(formatMs(ms)).toBe(text));

  it.each([
    [0, '0'],
    [999, '999'],
    [1_204_224, '1\u202f204\u202f224'],
  ])('count %d', (count, text) => expect(formatCount(count)).toBe(text));

  it.each([
    [0, '0'],
    [-0.17, '−0.17'],
    [0.0263529, '0.02635'],
    [3.4e-7, '3.400e−7'],
    [-2e29, '−2.000e29'],
    [Number.POSITIVE_INFINITY, '∞'],
    [Number.NaN, 'NaN'],
  ])('number %d', (value, text) => expect(formatNumber(value)).toBe(text));

  it.each([
    [0, '0 %'],
    [1e-9, '< 0.001 %'],
    [0.00075, '0.075 %'],
    [0.2541, '25.4 %'],
    [1, '100.0 %'],
  ])('share %d', (share, text) => expect(formatShare(share)).toBe(text));

  it('counts in words', () => expect([counted(1, 'tensor'), counted(2, 'tensor')]).toEqual(['1 tensor', '2 tensors']));
});
