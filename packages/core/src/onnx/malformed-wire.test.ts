import { describe, expect, it } from 'vitest';
import * as b from '../../../../tools/fuzz/build.ts';
import { errorOf, expectRefused, type Refusal, read } from '../../../../tools/fuzz/expect-refused.ts';
import { join } from '../../../../tools/fuzz/protobuf-tree.ts';
import { OptimumError } from '../foundation/index.ts';

const relu = b.node('Relu', ['x'], ['y']);
const good = b.modelOf(relu, b.input('x'), b.output('y'));
const longVarint = (last: number): Uint8Array => b.raw(...Array.from({ length: 10 }, () => 0xff), last);
/** Wrong bytes in place of a field at several depths. */
const places: readonly (readonly [string, (bytes: Uint8Array) => Uint8Array])[] = [
  ['model', (bytes) => join([good, bytes])],
  ['graph', (bytes) => b.modelOf(relu, b.input('x'), b.output('y'), bytes)],
  ['node', (bytes) => b.modelOf(b.node('Relu', ['x'], ['y'], bytes), b.input('x'), b.output('y'))],
  [
    'attribute',
    (bytes) =>
      b.modelOf(b.node('Relu', ['x'], ['y'], b.message(5, b.string(1, 'a'), b.varint(20, 2), bytes)), b.input('x')),
  ],
  ['tensor', (bytes) => b.modelOf(b.initializer('w', 1, [], bytes, b.bytes(9, b.zeros(4))))],
  ['value info', (bytes) => b.modelOf(b.message(11, b.valueInfo('x'), bytes))],
  ['type', (bytes) => b.modelOf(b.message(11, b.string(1, 'x'), b.message(2, b.tensorType(1), bytes)))],
  ['dimension', (bytes) => b.modelOf(b.input('x', b.message(1, b.varint(1, 1), b.message(2, b.message(1, bytes)))))],
  [
    'opset import',
    (bytes) => join([b.varint(1, 8), b.message(8, b.varint(2, 17), bytes), b.graph(relu, b.input('x'))]),
  ],
  ['metadata', (bytes) => join([good, b.message(14, b.string(1, 'k'), b.string(2, 'v'), bytes)])],
  ['function', (bytes) => join([good, b.message(25, b.string(1, 'f'), b.string(10, 'own'), bytes)])],
];

const damages: readonly (readonly [string, Uint8Array, string])[] = [
  ['field 0', b.raw(0x00, 0x00), 'field number 0'],
  ['wire type 6', b.raw(((50 << 3) & 0x7f) | 0x86, 0x03, 0x01), 'does not exist'],
  ['wire type 7', b.raw(((50 << 3) & 0x7f) | 0x87, 0x03, 0x01), 'does not exist'],
  ['a group', b.raw(0xa3, 0x06, 0xa4, 0x06), 'is a group'],
  ['a stray end of a group', b.raw(0xa4, 0x06), 'is a group'],
  ['a varint longer than 10 bytes', join([b.raw(0xa0, 0x06), longVarint(1)]), 'longer than 10 bytes'],
  ['a tag past 32 bits', b.raw(0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x00), 'tag past 32 bits'],
  ['a length past the end', b.raw(0xa2, 0x06, 0x7f), 'says 127 bytes'],
  [
    'a length of 2^63',
    join([b.raw(0xa2, 0x06), b.raw(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01)]),
    'bytes, but',
  ],
  [
    'a length of 2^62',
    join([b.raw(0xa2, 0x06), b.raw(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40)]),
    'bytes, but',
  ],
  ['half a fixed32', b.raw(0xa5, 0x06, 0x00), 'at byte'],
  ['half a fixed64', b.raw(0xa1, 0x06, 0x00), 'at byte'],
];

const cases: Refusal[] = places.flatMap(([where, put]) =>
  damages.map(([what, bytes, place]): Refusal => [`${what} in a ${where}`, put(bytes), 'E_MODEL_WIRE', place]),
);

/** Known fields with a wire type that is not theirs. */
const mistyped: Refusal[] = [
  ['ir_version as text', join([b.string(1, 'x'), b.opset(), b.graph(relu)]), 'E_MODEL_WIRE', 'field 1 has wire type 2'],
  [
    'the graph as a number',
    join([b.varint(1, 8), b.opset(), b.varint(7, 1)]),
    'E_MODEL_WIRE',
    'field 7 has wire type 0',
  ],
  ['a node as a number', b.modelOf(b.varint(1, 1)), 'E_MODEL_WIRE', 'field 1 has wire type 0'],
  [
    'an input name as a number',
    b.modelOf(b.message(1, b.varint(1, 1))),
    'E_MODEL_WIRE',
    'node without operator (number 0',
  ],
  [
    'a float as a number',
    b.modelOf(b.node('A', [], ['y'], b.attribute('a', 1, b.varint(2, 1)))),
    'E_MODEL_WIRE',
    'attribute "a"',
  ],
  [
    'floats as numbers',
    b.modelOf(b.node('A', [], ['y'], b.attribute('a', 6, b.varint(7, 1)))),
    'E_MODEL_WIRE',
    'attribute "a"',
  ],
  [
    'ints as floats',
    b.modelOf(b.node('A', [], ['y'], b.attribute('a', 7, b.fixed32(8, 1)))),
    'E_MODEL_WIRE',
    'attribute "a"',
  ],
  ['dims as floats', b.modelOf(b.message(5, b.fixed32(1, 1))), 'E_MODEL_WIRE', 'tensor ""'],
  ['float_data as numbers', b.modelOf(b.initializer('w', 1, [1], b.varint(4, 1))), 'E_MODEL_WIRE', 'tensor "w"'],
  ['int32_data as floats', b.modelOf(b.initializer('w', 6, [1], b.fixed32(5, 1))), 'E_MODEL_WIRE', 'tensor "w"'],
  ['double_data as floats', b.modelOf(b.initializer('w', 11, [1], b.fixed32(10, 1))), 'E_MODEL_WIRE', 'tensor "w"'],
  [
    'packed dims that end in a number',
    b.modelOf(b.message(5, b.bytes(1, b.raw(0x80)), b.varint(2, 1))),
    'E_MODEL_WIRE',
    'runs past its end',
  ],
  [
    'packed ints that end in a number',
    b.modelOf(b.node('A', [], ['y'], b.attribute('a', 7, b.bytes(8, b.raw(1, 0x80))))),
    'E_MODEL_WIRE',
    'runs past its end',
  ],
  [
    'packed floats of 5 bytes',
    b.modelOf(b.node('A', [], ['y'], b.attribute('a', 6, b.bytes(7, b.zeros(5))))),
    'E_MODEL_WIRE',
    'runs past its end',
  ],
  [
    'packed int64_data that ends in a number',
    b.modelOf(b.initializer('w', 7, [2], b.bytes(7, b.raw(1, 0x80))), b.output('w')),
    'E_MODEL_WIRE',
    'runs past its end',
  ],
  ['a name that is not UTF-8', b.modelOf(b.message(11, b.bytes(1, b.raw(0xff)))), 'E_MODEL_INVALID', 'not valid UTF-8'],
  [
    'an overlong UTF-8 name',
    b.modelOf(b.message(11, b.bytes(1, b.raw(0xc0, 0x80)))),
    'E_MODEL_INVALID',
    'not valid UTF-8',
  ],
  [
    'a surrogate in a name',
    b.modelOf(b.message(11, b.bytes(1, b.raw(0xed, 0xa0, 0x80)))),
    'E_MODEL_INVALID',
    'not valid UTF-8',
  ],
];

describe('broken protobuf', () => {
  it.each([...cases, ...mistyped].map((one) => [one[0], one] as const))('%s', (_name, one) => expectRefused(one));

  it('is refused at every byte at which a model can be cut', () => {
    const frame = [b.input('x'), b.output('y')];
    const more = [b.node('Sum', ['x', 'w'], ['y'], b.attribute('a', 7, b.bytes(8, b.raw(1, 2))))];
    const whole = b.modelOf(...more, b.initializer('w', 1, [2], b.bytes(9, b.zeros(8))), ...frame);
    for (let length = 0; length < whole.length; length++) {
      const error = errorOf(() => read(whole.subarray(0, length)));
      expect(['E_MODEL_WIRE', 'E_MODEL_INVALID']).toContain(error.code);
      expect(error.message).toContain('bad.onnx');
      if (error.code === 'E_MODEL_WIRE') expect(error.context.offset).toBeLessThanOrEqual(length);
    }
    expect(read(whole).graph.nodeCount).toBe(1);
  });

  it('or survives every flipped bit of a model', () => {
    for (let bit = 0; bit < good.length * 8; bit++) {
      const bytes = good.slice();
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      try {
        read(bytes);
      } catch (error) {
        if (!OptimumError.isInstance(error) || error.code === 'E_INTERNAL') throw error;
      }
    }
  });
});

describe('wrong kinds of messages', () => {
  const tensor = b.tensor('t', 1, [2], b.bytes(9, b.zeros(8)));
  it.each<[string, Uint8Array]>([
    ['a TensorProto', tensor],
    ['a SequenceProto', join([b.string(1, 's'), b.varint(2, 1), b.message(3, tensor)])],
    ['a GraphProto', join([relu, b.input('x'), b.output('y')])],
    ['a NodeProto', b.nodeBody('Relu', ['x'], ['y'])],
    ['a TypeProto', b.tensorType(1, [2])],
    ['nothing at all', new Uint8Array()],
    ['one zero', b.raw(0)],
    ['text', new TextEncoder().encode('This is not a model.')],
  ])('%s is no model', (_name, bytes) => {
    const error = errorOf(() => read(bytes));
    expect(['E_MODEL_WIRE', 'E_MODEL_INVALID']).toContain(error.code);
    expect(error.hint).toBeDefined();
  });
});
