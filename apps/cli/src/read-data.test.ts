import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { float16ToNumber } from '../../../packages/core/src/foundation/index.ts';
import { writeTiny } from '../../../tools/testing/tiny-models.ts';
import { root as checkout } from '../../../tools/testing/zoo.ts';
import { packTensor } from './pack-tensor.ts';
import { readData } from './read-data.ts';

const root = mkdtempSync(join(tmpdir(), 'optimum-data-'));
const model = join(root, 'model.onnx');
const file = join(root, 'data.jsonl');
const example = join(checkout, 'examples/reviews-bert-256');
afterAll(() => rmSync(root, { recursive: true, force: true }));
beforeAll(() => writeTiny(model, { width: 2 }));

const read = (text: string, path = model) => {
  writeFileSync(file, text);
  return readData(file, path);
};

describe('readData', () => {
  it('reads named tensors, with a byte order mark, Windows line ends and empty lines', async () => {
    const samples = await read('\uFEFF{"x": [[1, 2]]}\r\n\r\n{"x": [[3, 4], [5, 6]]}');
    expect(samples.map(({ x }) => [x?.elementType, x?.dims])).toEqual([
      ['float32', [1, 2]],
      ['float32', [2, 2]],
    ]);
  });

  it('makes tokens of text', async () => {
    const [one, pair] = await read('"fine"\n{"text": "fine", "text_pair": "bad"}', example);
    expect(Object.keys(one ?? {}).sort()).toEqual(['attention_mask', 'input_ids', 'token_type_ids']);
    expect(one?.input_ids?.dims[1]).toBeLessThan(pair?.input_ids?.dims[1] ?? 0);
  });

  it.each([
    ['{', /data\.jsonl:1: not JSON/],
    ['[1]', /:1: expected text or an object/],
    ['{"x": [[1, 2]]}\n5', /:2: expected text or an object/],
    ['{}', /:1: no value for "x"/],
    ['{"y": 1}', /:1: "y" is no input of the model \(it has x\)/],
    ['{"x": [[1], [2, 3]]}', /:1: "x" is ragged/],
    ['{"x": [[1, 2], [3], [4, 5, 6]]}', /:1: "x" is ragged/],
    ['{"x": [1, 2]}', /:1: "x" has the dimensions \[2\], expected 2 of them/],
    ['{"x": [[1, null]]}', /:1: "x" holds null, expected finite numbers/],
    ['{"x": [[1, 1e400]]}', /:1: "x" holds Infinity/],
    ['{"x": {"a": 1}}', /:1: "x" holds \{"a":1\}/],
    ['"text"', /has no tokenizer\.json/],
    ['', /holds no sample/],
  ])('refuses %j', async (text, message) => {
    await expect(read(text)).rejects.toMatchObject({
      code: 'E_DATA_INVALID',
      exitCode: 24,
      message: expect.stringMatching(message),
    });
  });

  it.each([
    ['{"text": "a", "input_ids": [[1]]}', /"input_ids" beside "text"/],
    ['{"text": "a", "text_pair": 5}', /"text_pair" is no text/],
    ['{"input_ids": [[1]]}', /no value for "attention_mask", "token_type_ids"/],
    ['{"input_ids": [[1.5]]}', /"input_ids" holds 1\.5, expected int64/],
  ])('refuses %j for tokens', async (text, message) => {
    await expect(read(text, example)).rejects.toMatchObject({
      code: 'E_DATA_INVALID',
      message: expect.stringMatching(message),
    });
  });

  it('tells a folder, nothing, and a broken tokenizer from data', async () => {
    await expect(readData(root, model)).rejects.toMatchObject({ code: 'E_PATH_SPECIAL' });
    await expect(readData(join(root, 'none'), model)).rejects.toMatchObject({ code: 'E_IO' });
    writeFileSync(join(root, 'tokenizer.json'), '{');
    await expect(read('"text"')).rejects.toMatchObject({ code: 'E_CONFIG_SYNTAX' });
    writeFileSync(join(root, 'tokenizer.json'), '{"model": {"type": "no such"}}');
    await expect(read('"text"')).rejects.toMatchObject({ code: 'E_CONFIG_SCHEMA' });
    rmSync(join(root, 'tokenizer.json'));
  });
});

describe('packTensor', () => {
  it.each([
    [[true, false], 'bool', [1, 0]],
    [[-128, 127], 'int8', [0x80, 0x7f]],
    [[0, 65535], 'uint16', [0, 0, 0xff, 0xff]],
    [['18446744073709551615'], 'uint64', Array(8).fill(255)],
    [['-9223372036854775808'], 'int64', [0, 0, 0, 0, 0, 0, 0, 128]],
    [5, 'int32', [5, 0, 0, 0]],
    [[], 'float64', []],
  ] as const)('%j as %s', (value, type, bytes) => {
    expect(packTensor(value, type)).toMatchObject({ elementType: type, bytes: Uint8Array.from(bytes) });
  });

  it('rounds to half precision', () => {
    const packed = packTensor([0.1, 70000], 'float16');
    const halves = typeof packed === 'object' ? [...new Uint16Array(packed.bytes.buffer)].map(float16ToNumber) : [];
    expect(halves).toEqual([0.0999755859375, Number.POSITIVE_INFINITY]);
  });

  it.each([
    [[256], 'uint8', 'holds 256, expected uint8 (0 to 255;'],
    [[2], 'bool', 'holds 2, expected bool (0 to 1;'],
    [[2 ** 60], 'int64', 'expected int64 (-9223372036854775808 to 9223372036854775807; past 2^53 as text)'],
    [['x'], 'int32', 'holds "x"'],
    [[1], 'string', 'holds 1, expected text'],
    [[1], 'bfloat16', 'is bfloat16, which cannot be given as JSON'],
  ] as const)('%j is no %s', (value, type, message) => {
    expect(packTensor(value, type)).toContain(message);
  });
});
