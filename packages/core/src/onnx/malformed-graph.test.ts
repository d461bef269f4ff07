import { describe, expect, it } from 'vitest';
import * as b from '../../../../tools/fuzz/build.ts';
import { expectRefused, type Refusal } from '../../../../tools/fuzz/expect-refused.ts';

const relu = b.node('Relu', ['x'], ['y']);
const x = b.input('x');
const weight = (name: string): Uint8Array => b.initializer(name, 1, [2], b.bytes(9, b.zeros(8)));
const bad = 'E_MODEL_INVALID';
const metadata = (field: number): Uint8Array => b.message(field, b.string(1, 'k'), b.string(2, 'v'));

const values: Refusal[] = [
  ['an input twice', b.modelOf(x, x), bad, 'the name "x" is given to two values'],
  ['an input without a name', b.modelOf(b.message(11, b.message(2, b.tensorType(1)))), bad, 'has no name'],
  ['an initializer twice', b.modelOf(weight('w'), weight('w')), bad, 'two initializers "w"'],
  [
    'an initializer of another type than its input',
    b.modelOf(b.input('w', b.tensorType(7, [2])), weight('w')),
    bad,
    'input "w" is int64[2]',
  ],
  [
    'an initializer of another shape than its input',
    b.modelOf(b.input('w', b.tensorType(1, [3])), weight('w')),
    bad,
    'input "w" is float32[3]',
  ],
  ['an output that nothing makes', b.modelOf(relu, x, b.output('z')), bad, 'output "z" is made by no node'],
  ['an output without a name', b.modelOf(relu, x, b.message(12)), bad, 'output "" is made by no node'],
  ['an output of the model twice', b.modelOf(relu, x, b.output('y'), b.output('y')), bad, 'output "y" is there twice'],
  ['a node that makes a value twice', b.modelOf(b.node('Split', ['x'], ['a', 'a']), x), bad, 'node Split "Split-a-a"'],
  [
    'a node that makes an input',
    b.modelOf(b.node('Relu', ['x'], ['x']), x),
    bad,
    'the name "x" is given to two values',
  ],
  ['a node that makes an initializer', b.modelOf(b.node('Relu', ['x'], ['w']), x, weight('w')), bad, 'the name "w"'],
  ['two nodes that make one value', b.modelOf(relu, b.node('Abs', ['x'], ['y']), x), bad, 'node Abs "Abs-y" (number 1'],
  ['a value that nothing makes', b.modelOf(b.node('Relu', ['q'], ['y']), x), bad, 'reads "q", which nothing makes'],
  ['a node that reads itself', b.modelOf(b.node('Relu', ['y'], ['y'])), bad, 'a cycle'],
  [
    'a cycle of two nodes',
    b.modelOf(b.node('A', ['b'], ['a']), b.node('B', ['a'], ['b'])),
    bad,
    'which node B (number 1) makes out of this node',
  ],
  [
    'a cycle of three nodes',
    b.modelOf(b.node('A', ['c'], ['a']), b.node('B', ['a'], ['b']), b.node('C', ['b'], ['c'])),
    bad,
    'a cycle',
  ],
  [
    'nodes that are not in order',
    b.modelOf(b.node('Abs', ['y'], ['z']), relu, x, b.output('z')),
    bad,
    'node Abs "Abs-z" (number 0 at byte 15): it reads "y", which only node Relu (number 1) after it makes',
  ],
  [
    'a subgraph that reads a later value',
    b.modelOf(branch('y'), relu, x),
    bad,
    'node If "If-z" (number 0 at byte 15): attribute "then_branch": node Abs',
  ],
  ['a subgraph that reads its own node', b.modelOf(branch('z'), x), bad, 'attribute "then_branch"'],
  [
    'a dimension of 2^63 - 1',
    b.modelOf(b.input('x', b.tensorType(1, [])), b.input('q', type(2n ** 63n - 1n))),
    bad,
    'is too large',
  ],
  ['a type that no ONNX has', b.modelOf(b.input('x', b.tensorType(99))), 'E_UNSUPPORTED_DTYPE', 'element type 99'],
  [
    '65 dimensions',
    b.modelOf(
      b.input(
        'x',
        b.tensorType(
          1,
          Array.from({ length: 65 }, () => 1),
        ),
      ),
    ),
    'E_LIMIT_ELEMENTS',
    'rank 65',
  ],
  ['metadata of the graph twice', b.modelOf(relu, x, metadata(16), metadata(16)), bad, 'the key "k" twice'],
  [
    'metadata of a node twice',
    b.modelOf(b.node('Relu', ['x'], ['y'], metadata(9), metadata(9)), x),
    bad,
    'node Relu "Relu-y"',
  ],
  ['a node without an operator', b.modelOf(b.message(1, b.string(1, 'x')), x), bad, 'node without operator (number 0'],
  ['a name of 70,000 bytes', b.modelOf(b.input('n'.repeat(70_000))), 'E_LIMIT_BYTES', 'a name of 70000 bytes'],
];

function type(size: bigint): Uint8Array {
  return b.message(1, b.varint(1, 1), b.message(2, b.message(1, b.varint(1, size))));
}

function branch(reads: string): Uint8Array {
  const inner = b.message(6, b.node('Abs', [reads], ['i']), b.output('i'));
  return b.node('If', ['x'], ['z'], b.attribute('then_branch', 5, inner));
}

const rows = (cases: readonly Refusal[]): (readonly [string, Refusal])[] => cases.map((one) => [one[0], one]);

describe('malformed graphs', () => {
  it.each(rows(values))('%s', (_name, one) => expectRefused(one));

  it('shows hostile names without letting them reach the terminal', () => {
    const name = '\u001b[2J\u009b31m\u202eevil"';
    const one: Refusal = [
      '',
      b.modelOf(b.node('Relu', [name], ['y'])),
      bad,
      'reads "\\u001b[2J\\u009b31m\\u202eevil\\""',
    ];
    expectRefused(one);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
    expect(() => expectRefused(one)).not.toThrow(/[\u0000-\u001f]/);
  });
});
