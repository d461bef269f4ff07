import { describe, expect, it } from 'vitest';
import * as b from '../../../../tools/fuzz/build.ts';
import { read } from '../../../../tools/fuzz/expect-refused.ts';
import { join } from '../../../../tools/fuzz/protobuf-tree.ts';
import type { Tensor } from '../ir/index.ts';
import { serializeModel } from './index.ts';

const relu = b.node('Relu', ['x'], ['y']);
const x = b.input('x');
const y = b.output('y');
const whole = (...fields: Uint8Array[]): Uint8Array => join([b.varint(1, 8), b.message(7, ...fields), b.opset()]);

function weightOf(bytes: Uint8Array): Tensor {
  const [value] = read(bytes).graph.initializers;
  if (value?.origin.kind !== 'initializer') throw new Error('no weight');
  return value.origin.tensor;
}

/** What an initializer of these fields holds. */
const dataOf = (elementType: number, dims: Uint8Array, ...data: Uint8Array[]): number[] => [
  ...weightOf(b.modelOf(b.message(5, dims, b.varint(2, elementType), ...data, b.string(8, 'w')))).bytes(),
];

const floats = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
const doubles = (...values: number[]): Uint8Array => new Uint8Array(Float64Array.from(values).buffer);
const longs = (...values: number[]): number[] => [...new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer)];

describe('protobuf semantics', () => {
  it('lists are the same packed, not packed, and mixed, in the order of the file', () => {
    const dims = b.bytes(1, b.raw(3));
    expect(dataOf(7, dims, b.bytes(7, b.raw(1, 2, 3)))).toEqual(longs(1, 2, 3));
    expect(dataOf(7, dims, b.varint(7, 1), b.varint(7, 2), b.varint(7, 3))).toEqual(longs(1, 2, 3));
    expect(dataOf(7, dims, b.varint(7, 1), b.bytes(7, b.raw(2)), b.varint(7, 3))).toEqual(longs(1, 2, 3));
    expect(dataOf(1, dims, b.fixed32(4, 1), b.bytes(4, floats(2)), b.fixed32(4, 3))).toEqual([...floats(1, 2, 3)]);
    expect(dataOf(11, dims, b.fixed64(10, 1), b.bytes(10, doubles(2, 3)))).toEqual([...doubles(1, 2, 3)]);
    expect(dataOf(3, dims, b.varint(5, -1), b.bytes(5, b.raw(2, 3)))).toEqual([255, 2, 3]);
  });

  it('dims are the same packed and not packed', () => {
    const make = (dims: Uint8Array): Tensor =>
      weightOf(b.modelOf(b.message(5, dims, b.varint(2, 1), b.string(8, 'w'))));
    expect(make(b.bytes(1, b.raw(0, 3))).dims).toEqual([0, 3]);
    expect(make(join([b.varint(1, 0), b.bytes(1, b.raw(3))])).dims).toEqual([0, 3]);
  });

  it('keeps the bits of numbers that are not packed', () => {
    const signalling = b.raw((4 << 3) | 5, 0x01, 0x00, 0x80, 0x7f);
    expect(dataOf(1, b.varint(1, 1), signalling)).toEqual([0x01, 0x00, 0x80, 0x7f]);
  });

  it('long lists of integers are decoded when they are needed, to the same bytes', () => {
    const count = 300_000;
    const list = Uint8Array.from({ length: count }, (_, index) => index % 128);
    const tensor = weightOf(b.modelOf(b.initializer('w', 7, [count], b.bytes(7, list))));
    expect(tensor.backing.kind).toBe('computed');
    const values = new BigInt64Array(tensor.bytes().slice().buffer);
    expect(values.every((value, index) => Number(value) === index % 128)).toBe(true);
  });

  it('of a scalar that comes twice the last one counts', () => {
    const twice = join([
      b.varint(1, 7),
      b.varint(1, 8),
      b.graph(relu, x, y),
      b.opset(),
      b.string(2, 'a'),
      b.string(2, 'b'),
    ]);
    expect(read(twice)).toMatchObject({ irVersion: 8, producerName: 'b' });
    const [node] = read(b.modelOf(b.node('Abs', ['x'], ['y'], b.string(4, 'Relu')), x, y)).graph.nodes();
    expect(node?.op).toBe('Relu');
    expect(dataOf(1, b.varint(1, 1), b.bytes(9, floats(1)), b.bytes(9, floats(2)))).toEqual([...floats(2)]);
  });

  it('messages that are split are merged: graph, subgraph, tensor, type', () => {
    const split = join([b.varint(1, 8), b.graph(relu), b.graph(x, y), b.opset()]);
    expect(read(split).graph).toMatchObject({ nodeCount: 1, inputs: [{ name: 'x' }], outputs: [{ name: 'y' }] });
    const inner = b.message(
      5,
      b.string(1, 'g'),
      b.message(6, b.node('Abs', ['x'], ['i'])),
      b.message(6, b.output('i')),
    );
    const [outer] = read(b.modelOf(b.node('A', ['x'], ['y'], inner), x, y)).graph.nodes();
    expect(outer?.subgraphs[0]).toMatchObject({ nodeCount: 1, outputs: [{ name: 'i' }] });
    const parts = b.message(
      5,
      b.string(1, 't'),
      b.message(5, b.varint(1, 1), b.varint(2, 1)),
      b.message(5, b.bytes(9, floats(5))),
    );
    const [constant] = read(b.modelOf(b.node('Constant', [], ['y'], parts), y)).graph.nodes();
    const attribute = constant?.attributes.get('t');
    expect(attribute?.type === 'tensor' && [...attribute.value.bytes()]).toEqual([...floats(5)]);
    const type = b.message(
      11,
      b.string(1, 'x'),
      b.message(2, b.message(1, b.varint(1, 1))),
      b.message(2, b.tensorType(0, [2])),
    );
    expect(read(b.modelOf(relu, type, y)).graph.inputs[0]?.shape).toEqual([2]);
  });

  it('of a choice the last one counts', () => {
    const both = b.message(11, b.string(1, 'x'), b.message(2, b.tensorType(1, [2])), b.message(2, b.message(4)));
    expect(read(b.modelOf(relu, both, y)).graph.inputs[0]?.type?.kind).toBe('sequence');
  });

  it('numbers that take more bytes than they need are read, and written as they should be', () => {
    const long = join([b.raw(0x88, 0x00, 0x88, 0x80, 0x80, 0x00), whole(relu, x, y).subarray(2)]);
    expect(read(long).irVersion).toBe(8);
    expect(Buffer.compare(serializeModel(read(long)), whole(relu, x, y))).toBe(0);
  });
});

describe('unknown fields', () => {
  const unknown = (field: number): Uint8Array =>
    join([b.varint(field, 1), b.string(field + 1, 'text'), b.fixed32(field + 2, 1), b.fixed64(field + 3, 1)]);
  const tensor = (...more: Uint8Array[]): Uint8Array =>
    join([b.varint(1, 1), b.varint(2, 1), b.string(8, 'w'), b.bytes(9, floats(1)), ...more]);
  const subgraph = b.message(6, b.node('Abs', ['x'], ['i'], unknown(40)), b.output('i'), unknown(40));
  it.each<[string, Uint8Array]>([
    ['the model', join([whole(relu, x, y), unknown(40)])],
    ['the model, between fields that are known', join([whole(relu, x, y), unknown(16)])],
    ['training information', join([whole(relu, x, y), b.message(20, b.varint(99, 1))])],
    ['the graph', whole(relu, x, y, unknown(40))],
    ['annotations', whole(relu, x, y, b.message(14, b.string(1, 'x'), unknown(40)))],
    [
      'a sparse initializer',
      whole(relu, x, y, b.message(15, b.message(1, b.tensor('s', 1, [0])), b.varint(3, 4), unknown(40))),
    ],
    ['a node', whole(b.node('Relu', ['x'], ['y'], unknown(40)), x, y)],
    ['device configurations', whole(b.node('Relu', ['x'], ['y'], b.message(10, b.string(1, 'a'))), x, y)],
    [
      'an attribute',
      whole(
        b.node('A', ['x'], ['y'], b.message(5, b.string(1, 'a'), b.varint(3, 1), b.varint(20, 2), unknown(40))),
        x,
        y,
      ),
    ],
    [
      'an attribute with a graph',
      whole(b.node('A', ['x'], ['y'], b.message(5, b.string(1, 'a'), subgraph, b.varint(20, 5), unknown(40))), x, y),
    ],
    ['a tensor', whole(relu, b.message(5, tensor(unknown(40))), x, y)],
    [
      'a tensor in an attribute',
      whole(b.node('A', ['x'], ['y'], b.attribute('t', 4, b.message(5, tensor(unknown(40))))), x, y),
    ],
    ['an input', whole(relu, b.message(11, b.valueInfo('x'), unknown(40)), y)],
    ['a type', whole(relu, b.message(11, b.string(1, 'x'), b.message(2, b.tensorType(1, [2]), unknown(40))), y)],
    [
      'a dimension',
      whole(
        relu,
        b.input('x', b.message(1, b.varint(1, 1), b.message(2, b.message(1, b.varint(1, 2), unknown(40))))),
        y,
      ),
    ],
    [
      'an opset import',
      join([b.varint(1, 8), b.message(7, relu, x, y), b.message(8, b.string(1, ''), b.varint(2, 17), unknown(40))]),
    ],
    ['metadata of the model', join([whole(relu, x, y), b.message(14, b.string(1, 'k'), unknown(40))])],
    ['metadata of the graph', whole(relu, x, y, b.message(16, b.string(1, 'k'), b.string(2, 'v'), unknown(40)))],
    ['metadata of a node', whole(b.node('Relu', ['x'], ['y'], b.message(9, b.string(2, 'v'), unknown(40))), x, y)],
    ['a function', join([whole(relu, x, y), b.message(25, b.string(1, 'f'), unknown(40), b.string(10, 'own'))])],
    ['ai.onnx as it is spelled', whole(b.node('Relu', ['x'], ['y'], b.string(7, 'ai.onnx')), x, y)],
    ['an explicit standard domain', whole(b.node('Relu', ['x'], ['y'], b.string(7, '')), x, y)],
  ])('come back byte for byte in %s', (_name, bytes) => {
    expect(Buffer.from(serializeModel(read(bytes))).toString('hex')).toBe(Buffer.from(bytes).toString('hex'));
  });

  it('stay in a tensor whose data moves', () => {
    const bytes = whole(
      relu,
      b.message(
        5,
        b.varint(1, 1),
        b.varint(2, 1),
        b.string(8, 'w'),
        b.string(12, 'doc'),
        b.external({ location: 'f' }),
        unknown(40),
      ),
      x,
      y,
    );
    const data = { name: 'f', byteLength: 4, readInto: (target: Uint8Array) => target.set(floats(7)) };
    const written = serializeModel(read(bytes, { openExternal: () => data }));
    const expected = whole(
      relu,
      b.message(
        5,
        b.varint(1, 1),
        b.varint(2, 1),
        b.string(8, 'w'),
        b.bytes(9, floats(7)),
        b.string(12, 'doc'),
        unknown(40),
      ),
      x,
      y,
    );
    expect(Buffer.from(written).toString('hex')).toBe(Buffer.from(expected).toString('hex'));
  });
});
