import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { castTensor, firstOutside, hasNaN } from './cast-tensor.ts';
import { bytesOfValues, valuesOf } from './element-values.ts';

const tensor = (elementType: Parameters<typeof bytesOfValues>[1], values: readonly number[]) => ({
  elementType,
  dims: [values.length],
  bytes: bytesOfValues(values, elementType),
});

describe('castTensor', () => {
  it('keeps whole numbers between all integer types that can hold them', () => {
    const types = ['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64'] as const;
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 127 })),
        fc.constantFrom(...types),
        fc.constantFrom(...types),
        (values, from, to) => {
          const cast = castTensor(tensor(from, values), to);
          expect(typeof cast === 'object' && Array.from(valuesOf(cast), Number)).toEqual(values);
        },
      ),
    );
  });

  it.each([
    ['int64', [5, -1], 'uint8', 'is int64, expected uint8, which cannot hold -1'],
    ['int32', [2], 'bool', 'is int32, expected bool, which cannot hold 2'],
    ['uint8', [1], 'float32', 'is uint8, expected float32'],
    ['float32', [1], 'int64', 'is float32, expected int64'],
    ['float32', [1], 'bfloat16', 'is float32, expected bfloat16'],
  ] as const)('%s %j is no %s', (from, values, to, message) => {
    expect(castTensor(tensor(from, values), to)).toBe(message);
  });

  it('rounds floats', () => {
    const cast = castTensor(tensor('float64', [0.1, 1e10]), 'float16');
    expect(typeof cast === 'object' && Array.from(valuesOf(cast), Number)).toEqual([
      0.0999755859375,
      Number.POSITIVE_INFINITY,
    ]);
  });
});

it('reads values at any alignment', () => {
  const bytes = Uint8Array.from([9, ...bytesOfValues([1.5, Number.NaN], 'float32')]).subarray(1);
  expect(hasNaN({ elementType: 'float32', dims: [2], bytes })).toBe(true);
  expect(hasNaN(tensor('float16', [Number.NEGATIVE_INFINITY, 0]))).toBe(false);
  expect(firstOutside(tensor('int64', [0, 7, 3]), 0n, 6n)).toBe(7n);
});
