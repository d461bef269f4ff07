import { describe, it } from 'vitest';
import * as b from '../../../../tools/fuzz/build.ts';
import { expectRefused, type Refusal } from '../../../../tools/fuzz/expect-refused.ts';
import { join } from '../../../../tools/fuzz/protobuf-tree.ts';

const relu = b.node('Relu', ['x'], ['y']);
const x = b.input('x');
const good = b.graph(relu, x, b.output('y'));
const bad = 'E_MODEL_INVALID';
const attribute = (...fields: Uint8Array[]): Uint8Array =>
  b.modelOf(b.node('A', ['x'], ['y'], b.message(5, ...fields)), x, b.output('y'));
const body = (name: string, ...fields: Uint8Array[]): Uint8Array =>
  b.message(25, b.string(1, name), b.string(10, 'own'), b.opsetIn(9), b.opsetIn(9, 1, 'own'), ...fields);
const call = (op: string, from = 'a', to = 'b'): Uint8Array =>
  b.message(7, b.nodeBody(op, [from], [to], b.string(7, 'own')));
const signature = [b.string(4, 'a'), b.string(5, 'b')];
const withFunctions = (...functions: Uint8Array[]): Uint8Array => join([b.model(good), ...functions]);
const reference = b.message(5, b.string(1, 'alpha'), b.string(21, 'p'), b.varint(20, 1));

const attributes: Refusal[] = [
  ['no name', attribute(b.varint(3, 1), b.varint(20, 2)), bad, 'an attribute at byte'],
  ['neither type nor value', attribute(b.string(1, 'a')), bad, 'attribute "a": it has neither a type nor a value'],
  ['type 15', attribute(b.string(1, 'a'), b.varint(20, 15)), bad, 'its type is 15'],
  ['type -1', attribute(b.string(1, 'a'), b.varint(20, -1)), bad, 'its type is -1'],
  [
    'another value than its type says',
    attribute(b.string(1, 'a'), b.fixed32(2, 1), b.varint(20, 2)),
    bad,
    'its type is INT, but it holds FLOAT',
  ],
  [
    'two values and a type',
    attribute(b.string(1, 'a'), b.fixed32(2, 1), b.varint(3, 1), b.varint(20, 2)),
    bad,
    'holds FLOAT and INT',
  ],
  [
    'two values without type',
    attribute(b.string(1, 'a'), b.fixed32(2, 1), b.varint(3, 1)),
    bad,
    'several values: FLOAT and INT',
  ],
  [
    'a tensor that is not there',
    attribute(b.string(1, 'a'), b.varint(20, 4)),
    bad,
    'its type is TENSOR, but it holds none',
  ],
  [
    'a graph that is not there',
    attribute(b.string(1, 'a'), b.varint(20, 5)),
    bad,
    'its type is GRAPH, but it holds none',
  ],
  [
    'a sparse tensor that is not there',
    attribute(b.string(1, 'a'), b.varint(20, 11)),
    bad,
    'SPARSE_TENSOR, but it holds none',
  ],
  [
    'a sparse tensor without values',
    attribute(b.string(1, 'a'), b.message(22), b.varint(20, 11)),
    bad,
    'has no values',
  ],
  [
    'a type of no ONNX',
    attribute(b.string(1, 'a'), b.message(14, b.tensorType(77)), b.varint(20, 13)),
    'E_UNSUPPORTED_DTYPE',
    'attribute "a": element type 77',
  ],
  [
    'a reference outside of functions',
    b.modelOf(b.node('A', ['x'], ['y'], reference), x),
    bad,
    'refers to parameter "p", but its node is not in a function',
  ],
  [
    'the same name twice',
    b.modelOf(b.node('A', [], ['y'], b.attribute('a', 2, b.varint(3, 1)), b.attribute('a', 2, b.varint(3, 1)))),
    bad,
    'attribute "a" is there twice',
  ],
];

const functions: Refusal[] = [
  ['no name', withFunctions(b.message(25, b.string(10, 'own'))), bad, 'it has no name'],
  [
    'twice',
    withFunctions(body('F', ...signature, call('G')), body('F', ...signature, call('G'))),
    bad,
    'function "own.F" is there twice',
  ],
  ['calls itself', withFunctions(body('F', ...signature, call('F'))), bad, 'function "own.F" calls "own.F"'],
  [
    'calls itself over another',
    withFunctions(body('F', ...signature, call('G')), body('G', ...signature, call('F'))),
    bad,
    '"own.F" calls "own.G" calls "own.F"',
  ],
  [
    'output that nothing makes',
    withFunctions(body('F', ...signature, call('G', 'a', 'c'))),
    bad,
    'function "F" at byte 72: its output "b"',
  ],
  [
    'input twice',
    withFunctions(body('F', b.string(4, 'a'), b.string(4, 'a'))),
    bad,
    'the name "a" is given to two values',
  ],
  [
    'reads a value of the model',
    withFunctions(body('F', ...signature, call('G', 'x'))),
    bad,
    'reads "x", which nothing makes',
  ],
  [
    'reference with a value',
    withFunctions(
      body(
        'F',
        ...signature,
        b.message(
          7,
          b.nodeBody('G', ['a'], ['b'], b.message(5, b.string(1, 'alpha'), b.fixed32(2, 1), b.string(21, 'p'))),
        ),
      ),
    ),
    bad,
    'has a value as well',
  ],
  [
    'default twice',
    withFunctions(
      body('F', b.message(11, b.string(1, 'd'), b.varint(3, 1)), b.message(11, b.string(1, 'd'), b.varint(3, 1))),
    ),
    bad,
    'attribute "d" is there twice',
  ],
  [
    'no opset for its nodes',
    withFunctions(b.message(25, b.string(1, 'F'), b.string(4, 'a'), b.message(7, b.nodeBody('Relu', ['a'], ['b'])))),
    bad,
    'node Relu "Relu-b" is of the standard domain',
  ],
];

const rows = (cases: readonly Refusal[]): (readonly [string, Refusal])[] => cases.map((one) => [one[0], one]);

describe('malformed attributes and functions', () => {
  it.each(rows(attributes))('attribute: %s', (_name, one) => expectRefused(one));
  it.each(rows(functions))('function: %s', (_name, one) => expectRefused(one));
});
