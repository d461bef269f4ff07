import { describe, it } from 'vitest';
import * as b from '../../../../tools/fuzz/build.ts';
import { expectRefused, type Refusal } from '../../../../tools/fuzz/expect-refused.ts';
import { join } from '../../../../tools/fuzz/protobuf-tree.ts';

const relu = b.node('Relu', ['x'], ['y']);
const x = b.input('x');
const good = b.graph(relu, x, b.output('y'));
const bad = 'E_MODEL_INVALID';
const metadata = (field: number): Uint8Array => b.message(field, b.string(1, 'k'), b.string(2, 'v'));

const headers: Refusal[] = [
  ['no graph', join([b.varint(1, 8), b.opset()]), bad, 'there is no graph'],
  ['no ir_version', join([b.opset(), good]), bad, 'ir_version is missing'],
  ['ir_version 0', join([b.varint(1, 0), b.opset(), good]), bad, 'ir_version is 0'],
  ['ir_version -1', join([b.varint(1, -1), b.opset(), good]), bad, 'ir_version is -1'],
  [
    'ir_version 99',
    join([b.varint(1, 99), b.opset(), good]),
    'E_UNSUPPORTED_FEATURE',
    'ir_version is 99; this version knows up to',
  ],
  [
    'ir_version 2^63 - 1',
    join([b.varint(1, 2n ** 63n - 1n), b.opset(), good]),
    'E_UNSUPPORTED_FEATURE',
    'ir_version is 9',
  ],
  ['no opset', join([b.varint(1, 8), good]), bad, 'imports no opset'],
  ['opset 0', join([b.varint(1, 8), b.opset(0), good]), bad, 'imports opset 0 of the standard domain'],
  ['opset -1', join([b.varint(1, 8), b.opset(-1), good]), bad, 'imports opset -1'],
  ['opset without version', join([b.varint(1, 8), b.message(8, b.string(1, '')), good]), bad, 'imports opset 0'],
  ['opset 2^62', join([b.varint(1, 8), b.opset(2n ** 62n), good]), bad, 'imports opset 46116'],
  [
    'an unknown opset',
    join([b.varint(1, 8), b.opset(999), good]),
    'E_UNSUPPORTED_OPSET',
    'imports opset 999 of the standard domain',
  ],
  [
    'an unknown opset of ai.onnx',
    join([b.varint(1, 8), b.opset(999, 'ai.onnx'), good]),
    'E_UNSUPPORTED_OPSET',
    'opset 999',
  ],
  [
    'two opsets of one domain',
    join([b.varint(1, 8), b.opset(17), b.opset(18), good]),
    bad,
    'with opset 17 and with opset 18',
  ],
  [
    'two spellings of one domain',
    join([b.varint(1, 8), b.opset(17), b.opset(18, 'ai.onnx'), good]),
    bad,
    'imported twice',
  ],
  [
    'a node of a domain that is not imported',
    join([b.varint(1, 8), b.opset(1, 'own'), good]),
    bad,
    'node Relu "Relu-y"',
  ],
  ['metadata of the model twice', join([b.model(good), metadata(14), metadata(14)]), bad, 'the key "k" twice'],
];

const rows = (cases: readonly Refusal[]): (readonly [string, Refusal])[] => cases.map((one) => [one[0], one]);

describe('malformed headers', () => {
  it.each(rows(headers))('%s', (_name, one) => expectRefused(one));
});
