import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeTiny } from '../../../tools/testing/tiny-models.ts';
import { root as checkout } from '../../../tools/testing/zoo.ts';
import { readFeeds } from './open-data.ts';

const root = mkdtempSync(join(tmpdir(), 'optimum-data-'));
const model = join(root, 'model.onnx');
const file = join(root, 'data.jsonl');
const example = join(checkout, 'examples/reviews-bert-256');
afterAll(() => rmSync(root, { recursive: true, force: true }));
beforeAll(() => writeTiny(model, { width: 2 }));

const read = (text: string, path = model) => {
  writeFileSync(file, text);
  return readFeeds({ source: file, model: path });
};

describe('JSON lines', () => {
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
    ['{"x": [[1], [2, 3]]}', /:1: "x" is ragged/],
    ['{"x": [[1, 2], [3], [4, 5, 6]]}', /:1: "x" is ragged/],
    ['{"x": [[1, null]]}', /:1: "x" holds null, expected finite numbers/],
    ['{"x": [[1, 1e400]]}', /:1: "x" holds Infinity/],
    ['{"x": {"a": 1}}', /:1: "x" holds \{"a":1\}/],
    ['"text"', /has no tokenizer\.json/],
    ['', /holds no sample/],
    ['\n \r\n', /holds no sample/],
  ])('refuses %j', async (text, message) => {
    await expect(read(text)).rejects.toMatchObject({
      code: 'E_DATA_INVALID',
      exitCode: 24,
      message: expect.stringMatching(message),
    });
  });

  it('refuses lists that are nested too deeply, without recursion', async () => {
    const deep = `{"x": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    await expect(read(deep)).rejects.toThrow(/:1: "x" is nested more than 16 lists deep/);
  });

  it.each([
    ['{}', /:1: no value for "x"/],
    ['{"y": 1}', /:1: "y" is no input of the model \(it has x\)/],
    ['{"x": [1, 2]}', /:1: "x" has the dimensions \[2\], expected 2 of them/],
    ['{"x": [[1, 2, 3]]}', /:1: "x" has the dimensions \[1, 3\], expected \[batch, 2\]/],
    ['{"x": []}', /:1: "x" has the dimensions \[0\], expected 2 of them/],
  ])('refuses %j for this model', async (text, message) => {
    await expect(read(text)).rejects.toMatchObject({
      code: 'E_DATA_MISMATCH',
      exitCode: 24,
      message: expect.stringMatching(message),
    });
  });

  it.each([
    ['{"text": "a", "input_ids": [[1]]}', 'E_DATA_INVALID', /"input_ids" beside "text"/],
    ['{"text": "a", "text_pair": 5}', 'E_DATA_INVALID', /"text_pair" is no text/],
    ['{"input_ids": [[1.5]]}', 'E_DATA_INVALID', /"input_ids" holds 1\.5, expected int64/],
    ['{"input_ids": [[1]]}', 'E_DATA_MISMATCH', /no value for "attention_mask", "token_type_ids"/],
    ['{"input_ids": [[]]}', 'E_DATA_MISMATCH', /\[1, 0\]: it is empty/],
    ['{"input_ids": [[3981]]}', 'E_DATA_MISMATCH', /"input_ids" holds 3981, but .* from 0 to 3980/],
    ['{"input_ids": [[-1]]}', 'E_DATA_MISMATCH', /"input_ids" holds -1/],
  ])('refuses %j for tokens', async (text, code, message) => {
    await expect(read(text, example)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('tells a folder, nothing, and a broken tokenizer from data', async () => {
    await expect(readFeeds({ source: join(root, 'none'), model })).rejects.toMatchObject({ code: 'E_IO' });
    writeFileSync(join(root, 'tokenizer.json'), '{');
    await expect(read('"text"')).rejects.toMatchObject({ code: 'E_CONFIG_SYNTAX' });
    writeFileSync(join(root, 'tokenizer.json'), '{"model": {"type": "no such"}}');
    await expect(read('"text"')).rejects.toMatchObject({ code: 'E_CONFIG_SCHEMA' });
    rmSync(join(root, 'tokenizer.json'));
  });
});
