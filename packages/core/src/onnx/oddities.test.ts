import { describe, expect, it } from 'vitest';
import * as b from '../../../../tools/fuzz/build.ts';
import { read } from '../../../../tools/fuzz/expect-refused.ts';
import { join } from '../../../../tools/fuzz/protobuf-tree.ts';
import { formatType, verify } from '../ir/index.ts';
import { serializeModel } from './index.ts';

const relu = b.node('Relu', ['x'], ['y']);
const [x, y] = [b.input('x'), b.output('y')];
const weight = (...dims: number[]): Uint8Array =>
  b.initializer('w', 1, dims, b.bytes(9, b.zeros(dims.reduce((product, dim) => product * dim, 4))));
const element = b.message(1, b.tensorType(1, ['n', 3]));
const branch = b.attribute('then_branch', 5, b.message(6, b.node('Abs', ['x'], ['i']), b.output('i'), b.output('i')));
const body = b.message(25, b.string(1, 'F'), b.string(4, 'a'), b.string(5, 'a'), b.string(10, 'own'));

describe('valid oddities are accepted', () => {
  it.each<[string, Uint8Array]>([
    ['a tensor without dimensions', b.modelOf(weight(), b.output('w', b.tensorType(1, [])))],
    ['an empty tensor', b.modelOf(weight(0, 4), b.output('w'))],
    ['an empty tensor with an empty raw_data', b.modelOf(b.initializer('w', 1, [0], b.bytes(9)), b.output('w'))],
    ['an empty tensor with an empty list', b.modelOf(b.initializer('w', 7, [0], b.bytes(7)), b.output('w'))],
    ['64 dimensions', b.modelOf(weight(...Array.from({ length: 64 }, () => 1)), b.output('w'))],
    [
      'five int4 elements in three bytes',
      b.modelOf(b.initializer('w', 22, [5], b.bytes(9, b.zeros(3))), b.output('w')),
    ],
    [
      'five int4 elements in int32_data',
      b.modelOf(b.initializer('w', 22, [5], b.bytes(5, b.raw(1, 2, 3))), b.output('w')),
    ],
    ['a graph without nodes', b.modelOf(x, b.output('x'))],
    ['an empty graph', b.modelOf()],
    ['an input that is also an output', b.modelOf(relu, x, b.output('x'), y)],
    [
      'an initializer that is also an input',
      b.modelOf(b.node('Add', ['x', 'w'], ['y']), weight(2), b.input('w'), x, y),
    ],
    ['an initializer that is also an output', b.modelOf(weight(2), b.output('w'))],
    [
      'inputs and outputs that are left out',
      b.modelOf(b.node('Clip', ['x', '', 'x'], ['y']), b.node('TopK', ['x'], ['', 'z']), x, y),
    ],
    ['names that are not ASCII', b.modelOf(b.node('Relu', ['größe'], ['出力 🙂\u0000']), b.input('größe'))],
    [
      'the same name for two nodes',
      b.modelOf(b.node('Relu', ['x'], ['y'], b.string(3, 'n')), b.node('Abs', ['x'], ['z'], b.string(3, 'n')), x),
    ],
    ['names of JavaScript', b.modelOf(b.node('constructor', ['__proto__'], ['toString']), b.input('__proto__'))],
    [
      'the same name in two branches',
      b.modelOf(b.node('If', ['x'], ['y', 'z'], branch), b.node('If', ['x'], ['p', 'q'], branch), x),
    ],
    ['an output of a branch twice', b.modelOf(b.node('If', ['x'], ['y', 'z'], branch), x, y)],
    [
      'a branch that shows a value from outside',
      b.modelOf(relu, b.node('If', ['x'], ['z'], b.attribute('g', 5, b.message(6, b.output('y')))), x),
    ],
    ['a sequence', b.modelOf(relu, b.input('s', b.message(4, element)), x, y)],
    ['an optional sequence', b.modelOf(relu, b.input('s', b.message(9, b.message(1, b.message(4, element)))), x, y)],
    ['a map', b.modelOf(relu, b.input('m', b.message(5, b.varint(1, 7), b.message(2, b.tensorType(8)))), x, y)],
    ['an opaque type', b.modelOf(relu, b.input('o', b.message(7, b.string(1, 'own'))), x, y)],
    ['an input without a type', b.modelOf(relu, b.message(11, b.string(1, 'x')), y)],
    [
      'a dimension of -1',
      b.modelOf(relu, b.input('x', b.message(1, b.varint(1, 1), b.message(2, b.message(1, b.varint(1, -1))))), y),
    ],
    ['a function whose output is its input', join([b.modelOf(relu, x, y), body])],
    ['an operator of another domain', b.modelOf(b.node('Gelu', ['x'], ['y'], b.string(7, 'com.microsoft')), x, y)],
    ['strings that are not UTF-8', b.modelOf(b.initializer('w', 8, [1], b.bytes(6, b.raw(0xff))), b.output('w'))],
    ['an attribute of bytes', b.modelOf(b.node('A', ['x'], ['y'], b.attribute('s', 3, b.bytes(4, b.raw(0xfe)))), x, y)],
    ['an integer without a value, as proto3 writes 0', b.modelOf(b.node('A', ['x'], ['y'], b.attribute('i', 2)), x, y)],
    ['a type for a value that is not there', b.modelOf(relu, x, y, b.innerInfo('gone'))],
    ['IR 1 without opset', join([b.varint(1, 1), b.graph(relu, x, y)])],
    [
      'weights that are NaN and infinite',
      b.modelOf(b.initializer('w', 1, [2], b.fixed32(4, Number.NaN), b.fixed32(4, Infinity)), b.output('w')),
    ],
  ])('%s', (_name, bytes) => {
    const model = read(bytes);
    expect(verify(model)).toEqual([]);
    const written = serializeModel(model);
    expect(Buffer.compare(serializeModel(read(written)), written)).toBe(0);
  });

  it('and mean what they say', () => {
    const type = b.message(9, b.message(1, b.message(4, element)));
    expect(formatType(read(b.modelOf(b.input('s', type))).graph.inputs[0]?.type)).toBe(
      'optional(sequence(float32[n,3]))',
    );
    const distinct = b.modelOf(b.input('a\u0301'), b.input('\u00e1'));
    expect(new Set(read(distinct).graph.inputs.map(({ name }) => name)).size).toBe(2);
    const [node] = read(b.modelOf(b.node('Relu', ['x'], ['y'], b.string(7, 'ai.onnx')), x)).graph.nodes();
    expect(node?.is('Relu')).toBe(true);
  });
});
