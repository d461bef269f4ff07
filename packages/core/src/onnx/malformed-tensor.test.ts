import { describe, expect, it } from 'vitest';
import * as b from '../../../../tools/fuzz/build.ts';
import { expectRefused, type Refusal, read } from '../../../../tools/fuzz/expect-refused.ts';
import type { ErrorCode } from '../foundation/index.ts';
import { bitWidth, elementTypes } from '../ir/index.ts';

const rawData = (byteLength: number): Uint8Array => b.bytes(9, b.zeros(byteLength));

/** The tensor "w" made of these fields, and what the message must say after its name. */
function tensorCase(what: string, fields: Uint8Array[], says: string, code: ErrorCode = 'E_MODEL_INVALID'): Refusal {
  return [what, b.modelOf(b.message(5, b.string(8, 'w'), ...fields), b.output('w')), code, says];
}
const dims = (...sizes: (number | bigint)[]): Uint8Array[] => sizes.map((size) => b.varint(1, size));
const type = (code: number): Uint8Array => b.varint(2, code);

const cases: Refusal[] = [
  tensorCase('a negative dimension', [...dims(-1), type(1), rawData(4)], '[-1] are negative or too large'),
  tensorCase('a dimension of 2^63 - 1', [...dims(2n ** 63n - 1n), type(1)], 'negative or too large'),
  tensorCase('a dimension of -2^63', [...dims(-(2n ** 63n)), type(1)], 'negative or too large'),
  tensorCase('dimensions whose product is too large', [...dims(2 ** 30, 2 ** 30), type(1)], 'negative or too large'),
  tensorCase('a product that wraps to 0 in 64 bits', [...dims(2 ** 32, 2 ** 32), type(1)], 'negative or too large'),
  tensorCase(
    '65 dimensions',
    [...dims(...Array.from({ length: 65 }, () => 1)), type(1)],
    'rank 65',
    'E_LIMIT_ELEMENTS',
  ),
  tensorCase('65 packed dimensions', [b.bytes(1, b.zeros(65)), type(1)], 'rank 65', 'E_LIMIT_ELEMENTS'),
  tensorCase('raw_data that is short', [...dims(2), type(1), rawData(7)], 'needs 8 bytes, but has 7'),
  tensorCase('raw_data that is long', [...dims(2), type(1), rawData(9)], 'needs 8 bytes, but has 9'),
  tensorCase('no data', [...dims(2), type(1)], 'needs 8 bytes, but has 0'),
  tensorCase('data of an empty tensor', [...dims(0), type(1), rawData(4)], 'needs 0 bytes, but has 4'),
  tensorCase('data_type 0', [...dims(1), type(0), rawData(4)], 'has no element type'),
  tensorCase('no data_type', [...dims(1), rawData(4)], 'has no element type'),
  tensorCase('data_type 99', [...dims(1), type(99), rawData(4)], 'element type 99', 'E_UNSUPPORTED_DTYPE'),
  tensorCase('data_type -1', [...dims(1), type(-1), rawData(4)], 'element type -1', 'E_UNSUPPORTED_DTYPE'),
  tensorCase('data_type 27', [...dims(1), type(27), rawData(4)], 'element type 27', 'E_UNSUPPORTED_DTYPE'),
  tensorCase('two value fields', [...dims(1), type(1), rawData(4), b.fixed32(4, 1)], 'float_data and raw_data'),
  tensorCase('three value fields', [...dims(1), type(1), b.varint(5, 1), b.varint(7, 1), rawData(4)], 'two places'),
  tensorCase('float data in int32_data', [...dims(1), type(1), b.varint(5, 1)], 'expected raw_data or float_data'),
  tensorCase('int32 data in float_data', [...dims(1), type(6), b.fixed32(4, 1)], 'expected raw_data or int32_data'),
  tensorCase('int64 data in int32_data', [...dims(1), type(7), b.varint(5, 1)], 'expected raw_data or int64_data'),
  tensorCase('int32 data in int64_data', [...dims(1), type(6), b.varint(7, 1)], 'expected raw_data or int32_data'),
  tensorCase('double data in float_data', [...dims(1), type(11), b.fixed32(4, 1)], 'expected raw_data or double_data'),
  tensorCase('uint64 data in int64_data', [...dims(1), type(13), b.varint(7, 1)], 'expected raw_data or uint64_data'),
  tensorCase('float data in string_data', [...dims(1), type(1), b.string(6, 'a')], 'is in string_data'),
  tensorCase('strings in raw_data', [...dims(1), type(8), rawData(4)], 'holds strings, which cannot be in raw_data'),
  tensorCase('strings in float_data', [...dims(1), type(8), b.fixed32(4, 1)], 'expected raw_data or string_data'),
  tensorCase('too few strings', [...dims(2), type(8), b.string(6, 'a')], 'needs 2 strings, but has 1'),
  tensorCase('too many strings', [...dims(0), type(8), b.string(6, 'a')], 'needs 0 strings, but has 1'),
  tensorCase('strings of negative dimensions', [...dims(-1, -1), type(8), b.string(6, 'a')], 'negative or too large'),
  tensorCase('external strings', [...dims(1), type(8), b.external({ location: 'f' })], 'cannot be in external data'),
  tensorCase('too few numbers', [...dims(3), type(7), b.bytes(7, b.raw(1, 2))], 'needs 24 bytes'),
  tensorCase('too many numbers', [...dims(1), type(7), b.bytes(7, b.raw(1, 2))], 'needs 8 bytes'),
  tensorCase('too few floats', [...dims(2), type(1), b.fixed32(4, 1)], 'needs 8 bytes, but has 4'),
  tensorCase('float_data of 5 bytes', [...dims(1), type(1), b.bytes(4, b.zeros(5))], 'needs 4 bytes, but has 5'),
  tensorCase('complex numbers without an imaginary part', [...dims(1), type(14), b.fixed32(4, 1)], 'needs 8 bytes'),
  tensorCase(
    'int8 data past 8 bits',
    [...dims(1), type(3), b.varint(5, 300)],
    'the number 300 does not fit into 8 bits',
  ),
  tensorCase('uint8 data below -128', [...dims(1), type(2), b.varint(5, -129)], 'the number -129 does not fit'),
  tensorCase(
    'float16 data past 16 bits',
    [...dims(1), type(10), b.varint(5, 65_536)],
    '65536 does not fit into 16 bits',
  ),
  tensorCase('int32 data past 32 bits', [...dims(1), type(6), b.varint(5, 2 ** 33)], 'does not fit into 32 bits'),
  tensorCase(
    'int4 data with a number for each element',
    [...dims(3), type(22), b.bytes(5, b.raw(1, 2, 3))],
    'needs 2 bytes',
  ),
  tensorCase('int4 data that is short', [...dims(3), type(22), rawData(1)], 'needs 2 bytes, but has 1'),
  tensorCase('data_location 2', [...dims(1), type(1), b.varint(14, 2)], 'data_location is 2'),
  tensorCase('data_location -1', [...dims(1), type(1), b.varint(14, -1)], 'data_location is -1'),
  tensorCase('a segment', [...dims(1), type(1), b.message(3, b.varint(1, 0))], 'segment', 'E_UNSUPPORTED_FEATURE'),
  tensorCase('external without location', [...dims(1), type(1), b.external({ offset: '0' })], 'names no location'),
  tensorCase(
    'external data and raw_data',
    [...dims(1), type(1), rawData(4), b.external({ location: 'f' })],
    'raw_data and external data',
  ),
  tensorCase(
    'external data that nobody can open',
    [...dims(1), type(1), b.external({ location: 'f' })],
    'cannot be opened from here',
  ),
  tensorCase(
    'an external key twice',
    [...dims(1), type(1), b.external({ location: 'f' }), b.external({ location: 'g' })],
    'the key "location" twice',
  ),
  ['an initializer without a name', b.modelOf(b.message(5, type(1), rawData(4))), 'E_MODEL_INVALID', 'has no name'],
];

/** Each element type with one byte too many and, where it has bytes, one too few. */
const lengths: Refusal[] = elementTypes.flatMap((elementType, index): Refusal[] => {
  if (elementType === 'string') return [];
  const byteLength = Math.ceil((5 * bitWidth(elementType)) / 8);
  return [byteLength + 1, byteLength - 1].map((actual) =>
    tensorCase(
      `${elementType} of ${actual} bytes`,
      [...dims(5), type(index + 1), rawData(actual)],
      `needs ${byteLength} bytes, but has ${actual}`,
    ),
  );
});

describe('malformed tensors', () => {
  it.each([...cases, ...lengths].map((one) => [one[0], one] as const))('%s', (_name, one) => {
    expectRefused(one);
    if (one[2] === 'E_MODEL_INVALID' && one[0] !== 'an initializer without a name')
      expect(() => read(one[1])).toThrow('tensor "w"');
  });

  it('names node and attribute of a tensor', () => {
    const bad = b.attribute('value', 4, b.message(5, b.tensor('', 1, [2], rawData(1))));
    const bytes = b.modelOf(b.node('Constant', [], ['c'], bad));
    const place = 'bad.onnx: node Constant "Constant-c" (number 0 at byte 15): attribute "value": tensor ""';
    expectRefused(['', bytes, 'E_MODEL_INVALID', place]);
  });

  it.each<[string, number[], Uint8Array[], string]>([
    ['sparse values that are missing', [4], [], 'has no values'],
    ['sparse values of rank 2', [4], [b.message(1, b.tensor('w', 1, [1, 1], rawData(4)))], 'rank 2, expected 1'],
    ['sparse values without indices', [4], [b.message(1, b.tensor('w', 1, [1], rawData(4)))], 'no int64 indices'],
    ['a sparse index past the end', [4], [...sparse(4)], 'the index 4, expected 0 to 3'],
    ['a negative sparse index', [4], [...sparse(-1)], 'the index -1'],
    ['a sparse tensor of terabytes', [2 ** 40], [...sparse(0)], 'stands for'],
    ['sparse dims that are negative', [-4], [...sparse(0)], 'negative or too large'],
  ])('%s', (_name, shape, fields, says) => {
    const code = says === 'stands for' ? 'E_LIMIT_BYTES' : 'E_MODEL_INVALID';
    const bytes = b.modelOf(b.message(15, ...fields, ...shape.map((dim) => b.varint(3, dim))));
    if (says.startsWith('negative')) expect(() => read(bytes)).toThrow(says);
    else expectRefused(['', bytes, code, says]);
  });
});

function sparse(index: number): Uint8Array[] {
  const indices = b.tensor('', 7, [1], b.varint(7, index));
  return [b.message(1, b.tensor('w', 1, [1], rawData(4))), b.message(2, indices)];
}
