import { float16ToNumber } from '@optimum/core';
import { describe, expect, it } from 'vitest';
import { packTensor } from './pack-tensor.ts';

describe('packTensor', () => {
  it.each([
    [[true, false], 'bool', [1, 0]],
    [[-128, 127], 'int8', [0x80, 0x7f]],
    [[0, 65535], 'uint16', [0, 0, 0xff, 0xff]],
    [['18446744073709551615'], 'uint64', Array(8).fill(255)],
    [['-9223372036854775808'], 'int64', [0, 0, 0, 0, 0, 0, 0, 128]],
    [5, 'int32', [5, 0, 0, 0]],
    [[], 'float64', []],
  ] as const)('%j as %s', (value, type, bytes) => {
    expect(packTensor(value, type)).toMatchObject({ elementType: type, bytes: Uint8Array.from(bytes) });
  });

  it('takes bigints, as Parquet has them', () => {
    expect(packTensor([258n], 'int64')).toMatchObject({ bytes: Uint8Array.from([2, 1, 0, 0, 0, 0, 0, 0]) });
    expect(packTensor([1n << 63n], 'int64')).toContain('holds 9223372036854775808');
  });

  it('rounds to half precision', () => {
    const packed = packTensor([0.1, 70000], 'float16');
    const halves = typeof packed === 'object' ? [...new Uint16Array(packed.bytes.buffer)].map(float16ToNumber) : [];
    expect(halves).toEqual([0.0999755859375, Number.POSITIVE_INFINITY]);
  });

  it.each([
    [[256], 'uint8', 'holds 256, expected uint8 (0 to 255;'],
    [[2], 'bool', 'holds 2, expected bool (0 to 1;'],
    [[2 ** 60], 'int64', 'expected int64 (-9223372036854775808 to 9223372036854775807; past 2^53 as text)'],
    [['x'], 'int32', 'holds "x"'],
    [[1], 'string', 'holds 1, expected text'],
    [[1], 'bfloat16', 'is bfloat16, which cannot be given as lists'],
  ] as const)('%j is no %s', (value, type, message) => {
    expect(packTensor(value, type)).toContain(message);
  });
});
