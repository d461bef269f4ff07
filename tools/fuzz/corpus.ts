import { readFileSync, statSync } from 'node:fs';
import { filesBelow, unpackZoo } from '../testing/zoo.ts';
import * as b from './build.ts';
import { join } from './protobuf-tree.ts';

/** One model that mutants are made of. */
export interface Seed {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Bits per element by ONNX number, 1 to 26; strings have none. */
const bits = [32, 8, 8, 16, 16, 32, 64, 0, 8, 16, 64, 32, 64, 64, 128, 16, 8, 8, 8, 8, 4, 4, 4, 8, 2, 2];

/** Small models of our own, each with one feature of the format, so that a fresh clone without the zoo fuzzes too. */
export function ownCorpus(): Seed[] {
  const add = b.node('Add', ['x', 'w'], ['y']);
  const frame = [b.input('x'), b.output('y')];
  const weight = b.initializer('w', 1, [2], b.bytes(9, b.zeros(8)));
  const seeds: Record<string, Uint8Array> = {
    minimal: b.modelOf(b.node('Relu', ['x'], ['y']), ...frame),
    add: b.modelOf(add, weight, ...frame),
    matmul: matmul(),
    nested: b.modelOf(b.nestedGraph(5), b.input('x'), b.input('c', b.tensorType(9, []))),
    deep: b.modelOf(b.nestedGraph(30), b.input('x'), b.input('c', b.tensorType(9, []))),
    attributes: b.modelOf(b.node('Custom', ['x'], ['y'], ...everyAttribute()), ...frame),
    types: b.modelOf(b.node('Relu', ['x'], ['y']), ...frame, ...everyType()),
    functions: join([b.modelOf(b.node('Twice', ['x'], ['y'], b.string(7, 'own')), ...frame), ...functions()]),
    external: b.modelOf(add, b.initializer('w', 1, [2], b.external({ location: 'w.bin', offset: '64' })), ...frame),
    strings: b.modelOf(b.initializer('w', 8, [2], b.string(6, 'a'), b.bytes(6, b.raw(0xff))), b.output('w')),
    sparse: b.modelOf(add, sparse('w'), ...frame),
    metadata: join([
      b.modelOf(add, weight, ...frame, entry(16, 'a', 'b')),
      entry(14, 'k', 'v'),
      b.string(50, 'unknown'),
    ]),
    legacy: join([b.varint(1, 3), b.opset(7), b.graph(add, weight, b.input('x'), b.input('w'), b.output('y'))]),
    constants: b.modelOf(...constantChain(), b.input('x'), b.output('y')),
    lists: b.modelOf(b.initializer('w', 6, [3], b.varint(5, 1), b.bytes(5, b.raw(2, 3))), b.output('w')),
    unicode: b.modelOf(b.node('Relu', ['größe'], ['出力 🙂']), b.input('größe'), b.output('出力 🙂')),
    split: join([b.varint(1, 8), b.opset(), b.graph(b.node('Relu', ['x'], ['y'])), b.graph(...frame)]),
  };
  const tensors = bits.map((width, index) => {
    const data =
      width === 0 ? join([1, 2, 3].map(() => b.string(6, 's'))) : b.bytes(9, b.zeros(Math.ceil((3 * width) / 8)));
    return { name: `type ${index + 1}`, bytes: b.modelOf(b.initializer('w', index + 1, [3], data), b.output('w')) };
  });
  return [...Object.entries(seeds).map(([name, bytes]) => ({ name, bytes })), ...tensors];
}

const entry = (field: number, key: string, value: string): Uint8Array =>
  b.message(field, b.string(1, key), b.string(2, value));

const matmul = (): Uint8Array =>
  b.modelOf(
    b.node('MatMul', ['x', 'w'], ['m'], entry(9, 'source', 'line 1')),
    b.node('Gemm', ['m', 'g', 'c'], ['y'], b.attribute('transB', 2, b.varint(3, 1))),
    b.initializer('w', 1, [8, 8], b.bytes(9, b.zeros(256))),
    b.initializer('g', 1, [4, 8], b.bytes(4, b.zeros(128))),
    b.initializer('c', 1, [4], b.bytes(9, b.zeros(16))),
    b.input('x', b.tensorType(1, ['batch', 8])),
    b.output('y', b.tensorType(1, ['batch', 4])),
    b.innerInfo('m', b.tensorType(1, ['batch', 8])),
  );

const everyAttribute = (): Uint8Array[] => [
  b.attribute('f', 1, b.fixed32(2, 0.5)),
  b.attribute('i', 2, b.varint(3, -1)),
  b.attribute('s', 3, b.string(4, 'text')),
  b.attribute('t', 4, b.message(5, b.tensor('', 7, [1], b.bytes(7, b.raw(5))))),
  b.attribute('g', 5, b.message(6, b.node('Relu', ['x'], ['inner']), b.output('inner'))),
  b.attribute('floats', 6, b.fixed32(7, 1), b.bytes(7, b.zeros(8))),
  b.attribute('ints', 7, b.varint(8, 1), b.bytes(8, b.raw(2, 3))),
  b.attribute('strings', 8, b.string(9, 'a'), b.string(9, '')),
  b.attribute('tensors', 9, b.message(10, b.tensor('t', 1, [], b.bytes(9, b.zeros(4))))),
  b.attribute('graphs', 10, b.message(11, b.string(2, 'empty'))),
  b.attribute('sparse', 11, b.message(22, sparseBody('v'))),
  b.attribute('type', 13, b.message(14, b.tensorType(1, [2]))),
];

const everyType = (): Uint8Array[] => {
  const element = b.message(1, b.tensorType(1, ['n', 3]));
  return [
    b.input('sequence', b.message(4, element)),
    b.input('optional', b.message(9, element)),
    b.input('sparse', b.message(8, b.varint(1, 1))),
    b.input('map', b.message(5, b.varint(1, 7), b.message(2, b.tensorType(8)))),
    b.input('opaque', b.message(7, b.string(1, 'own'))),
    b.input('nested', b.message(9, b.message(1, b.message(4, element)))),
    b.input('scalar', b.tensorType(1, [])),
    b.input('empty', b.tensorType(1, [0, 4])),
    b.message(11, b.string(1, 'untyped'), b.string(3, 'documented')),
  ];
};

const functions = (): Uint8Array[] => {
  const body = (name: string, ...nodes: Uint8Array[]): Uint8Array =>
    b.message(25, b.string(1, name), b.string(4, 'a'), b.string(5, 'b'), ...nodes, b.opsetIn(9), b.string(10, 'own'));
  const node = (op: string, from: string, to: string, ...more: Uint8Array[]): Uint8Array =>
    b.message(7, b.nodeBody(op, [from], [to], ...more));
  const reference = b.message(5, b.string(1, 'alpha'), b.string(21, 'slope'), b.varint(20, 1));
  return [
    body('Once', node('LeakyRelu', 'a', 'b', reference), b.string(6, 'slope')),
    body('Twice', node('Once', 'a', 'm', b.string(7, 'own')), node('Once', 'm', 'b', b.string(7, 'own'))),
  ];
};

/** [0, 0], of which one is stored. */
const sparseBody = (name: string): Uint8Array =>
  join([
    b.message(1, b.tensor(name, 1, [1], b.bytes(9, b.zeros(4)))),
    b.message(2, b.tensor('', 7, [1], b.bytes(7, b.raw(1)))),
    b.bytes(3, b.raw(2)),
  ]);

const sparse = (name: string): Uint8Array => b.message(15, sparseBody(name));

const constantChain = (): Uint8Array[] => [
  b.node(
    'Constant',
    [],
    ['c'],
    b.attribute('value', 4, b.message(5, b.tensor('', 1, [2, 2], b.bytes(9, b.zeros(16))))),
  ),
  b.node('Identity', ['c'], ['i']),
  b.node('Transpose', ['i'], ['t'], b.attribute('perm', 7, b.bytes(8, b.raw(1, 0)))),
  b.node('MatMul', ['x', 't'], ['y']),
];

/** Largest model of the zoo that is mutated: small ones reach the same code in less time. */
const largest = 65_536;

export interface Corpus {
  readonly own: readonly Seed[];
  readonly all: readonly Seed[];
}

/** Our own corpus and, where the zoo is there, every small model of the backend tests and exports. */
export function corpus(): Corpus {
  const archives = ['onnx-backend-tests/node.tar.xz', 'onnx-backend-tests/other.tar.xz', 'exports/exports.tar.xz'];
  const folders = archives.map((archive) => unpackZoo(archive)).filter((folder) => folder !== undefined);
  const files = folders.flatMap((folder) => filesBelow(folder, '.onnx'));
  const small = files.filter((file) => statSync(file).size <= largest);
  const own = ownCorpus();
  return { own, all: [...own, ...small.map((file) => ({ name: file, bytes: new Uint8Array(readFileSync(file)) }))] };
}
