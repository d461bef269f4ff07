import { describe, expect, it } from 'vitest';
import * as b from './build.ts';
import { judge } from './judge.ts';
import { join } from './protobuf-tree.ts';

const times = (count: number, make: (index: number) => Uint8Array): Uint8Array =>
  join(Array.from({ length: count }, (_, index) => make(index)));
const frame = [b.input('x'), b.output('x')];
const branch = (index: number): Uint8Array => b.attribute('g', 5, b.message(6, b.node('Abs', ['x'], [`i${index}`])));
const chain = (op: string) => (index: number) => b.node(op, [index === 0 ? 'w' : `v${index - 1}`], [`v${index}`]);
const weight = b.initializer('w', 1, [1], b.bytes(9, b.zeros(4)));
const call = (name: string): Uint8Array => b.message(7, b.nodeBody(name, [], [], b.string(7, 'own')));
const body = (name: string, ...fields: Uint8Array[]): Uint8Array =>
  b.message(25, b.string(1, name), b.string(10, 'own'), b.opsetIn(9), ...fields);

const outputs = Array.from({ length: 10_000 }, (_, index) => `y${index}`);
const nothing = (index: number): Uint8Array => b.node('Zero', [], [`o${index}`]);
const outside = (index: number): Uint8Array =>
  b.initializer(`w${index}`, 1, [1], b.external({ location: 'f', offset: '64' }));
const pieces = [b.message(5, b.varint(2, 1), b.varint(1, 0)), times(20_000, () => b.message(5))];

/** Sound models of strange shapes, large enough that anything quadratic or recursive shows. */
const shapes: Readonly<Record<string, Uint8Array>> = {
  'a node with many inputs': b.modelOf(
    b.node(
      'Sum',
      Array.from({ length: 50_000 }, () => 'x'),
      ['y'],
    ),
    ...frame,
  ),
  'a node with many outputs': b.modelOf(b.node('Split', ['x'], outputs), ...frame),
  'many inputs': b.modelOf(times(20_000, (index) => b.message(11, b.string(1, `i${index}`)))),
  'many outputs of nothing': b.modelOf(
    times(20_000, nothing),
    times(20_000, (index) => b.output(`o${index}`)),
  ),
  'many initializers': b.modelOf(times(20_000, (index) => b.initializer(`w${index}`, 1, [0]))),
  'many weights outside': b.modelOf(times(20_000, outside)),
  'many attributes': b.modelOf(
    b.node(
      'A',
      [],
      ['y'],
      times(20_000, (index) => b.attribute(`a${index}`, 2)),
    ),
    ...frame,
  ),
  'many functions that call one': join([
    b.modelOf(...frame),
    body('F'),
    times(10_000, (index) => body(`G${index}`, call('F'))),
  ]),
  'functions that call each other in a row': join([
    b.modelOf(...frame),
    times(10_000, (index) => body(`F${index}`, call(`F${index + 1}`))),
  ]),
  'a graph in many pieces': join([b.varint(1, 8), b.opset(), times(20_000, () => b.graph())]),
  'a tensor in many pieces': b.modelOf(b.node('C', [], ['y'], b.message(5, b.string(1, 't'), ...pieces)), ...frame),
  'sparse values in many pieces': b.modelOf(
    b.message(
      15,
      b.message(1, b.tensor('s', 1, [0])),
      times(20_000, () => b.message(1)),
    ),
  ),
  'numbers that are not packed': b.modelOf(
    b.initializer(
      'w',
      6,
      [50_000],
      times(50_000, () => b.varint(5, 1)),
    ),
    ...frame,
  ),
  'a chain of Identity': b.modelOf(times(20_000, chain('Identity')), weight, ...frame),
  'many branches': b.modelOf(
    times(20_000, (index) => b.node('If', ['x'], [`y${index}`], branch(index))),
    ...frame,
  ),
  'many types for one value': b.modelOf(
    b.node('Relu', ['x'], ['y']),
    times(20_000, () => b.innerInfo('y')),
    ...frame,
  ),
};

const mostMs = 20_000;

describe('strange shapes take no time and no stack', () => {
  it.each(Object.entries(shapes))('%s', (_name, bytes) => {
    const started = performance.now();
    expect(judge(bytes)).toEqual({ kind: 'accepted' });
    expect(performance.now() - started).toBeLessThan(mostMs);
  });

  it('too many graphs in one attribute are refused', () => {
    const graphs = b.attribute(
      'g',
      10,
      times(150_000, () => b.message(11)),
    );
    const bytes = b.modelOf(b.node('A', [], ['y'], graphs), ...frame);
    expect(judge(bytes)).toEqual({ kind: 'refused', code: 'E_LIMIT_OBJECTS' });
  });
});
