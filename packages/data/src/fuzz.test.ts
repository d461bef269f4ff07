import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OptimumError, type Random, seededRandom } from '@optimum/core';
import { afterAll, describe, expect, it } from 'vitest';
import { bytesOfValues } from './features/element-values.ts';
import { writeTokenizer } from './features/tokenizer-fixture.ts';
import { openData } from './open-data.ts';
import { writeParquet } from './rows/parquet-fixture.ts';
import { writeSafetensors } from './rows/safetensors-fixture.ts';

const root = writeTokenizer(mkdtempSync(join(tmpdir(), 'optimum-data-fuzz-')));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const seed = Number(process.env.SEED ?? 1);
const rounds = Number(process.env.N ?? 300);

const inputs = [
  { name: 'input_ids', elementType: 'int64', shape: ['batch', 'sequence'] },
  { name: 'x', elementType: 'float32', shape: ['batch', 2] },
] as const;
const sessions = inputs.map((input) => ({ name: input.name, inputs: [input] }));

const texts = ['one two', 'three "four"', 'five'];
const seeds: Readonly<Record<string, Uint8Array>> = {
  'a.jsonl': Buffer.from('{"text": "one", "text_pair": "two"}\n{"x": [[1, 2.5e3]]}\n"three"\n'),
  'a.txt': Buffer.from('one\r\ntwo\n\nthree'),
  'a.csv': Buffer.from('sentence1,sentence2,label\n"one, ""two""",three,1\nfour,"five\nsix",0\n'),
  'a.tsv': Buffer.from('one two\t1\nthree\t0\nfour\t1\n'),
  'a.parquet': writeParquet(
    [
      { name: 'text', type: 'text', values: texts },
      { name: 'label', type: 'int64', values: [1, 2, 3] },
    ],
    { rowsPerGroup: 2 },
  ),
  'gzip.parquet': writeParquet([{ name: 'input_ids', type: 'int64 list', values: [[1, 2], [3], []] }], {
    codec: 'gzip',
  }),
  'brotli.parquet': writeParquet([{ name: 'text', type: 'text', values: texts }], { codec: 'brotli' }),
  'a.safetensors': writeSafetensors({
    x: { dtype: 'F32', shape: [3, 2], bytes: bytesOfValues([1, 2, 3, 4, 5, 6], 'float32') },
    labels: { dtype: 'U8', shape: [3], bytes: Uint8Array.of(1, 2, 3) },
  }),
};

/** One to four changes of a kind that breaks formats: bits, numbers at bounds, pieces cut, doubled or moved. */
function mutate(original: Uint8Array, random: Random): Uint8Array {
  let bytes = Buffer.from(original);
  for (let change = random.integer(4); change >= 0; change--) {
    const at = random.integer(bytes.length + 1);
    const length = random.integer(Math.min(20, bytes.length) + 1);
    const piece = bytes.subarray(at, at + length);
    bytes = random.pick([
      () => Buffer.concat([bytes.subarray(0, at), Buffer.from([random.integer(256)]), bytes.subarray(at + 1)]),
      () => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]),
      () => Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]),
      () =>
        Buffer.concat([
          bytes.subarray(0, at),
          Buffer.alloc(length, random.pick([0, 0x7f, 0x80, 0xff])),
          bytes.subarray(at + length),
        ]),
      () =>
        Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from(random.pick(['"', '\n', '\r', ',', '\t', '{', '[', '9'.repeat(30), '-', '\0', '\\u0000'])),
          bytes.subarray(at),
        ]),
      () => bytes.subarray(0, at),
    ])();
  }
  return bytes;
}

describe('mutated files', () => {
  it.each(Object.keys(seeds))('%s: samples, or an error of ours', async (name) => {
    const random = seededRandom(seed);
    const source = join(root, name);
    let [read, refused] = [0, 0];
    for (let round = 0; round < rounds; round++) {
      writeFileSync(source, mutate(seeds[name] as Uint8Array, random));
      try {
        const data = await openData({ source, model: root, sessions });
        for await (const { index, feeds } of data.samples()) {
          expect(index).toBeLessThan(data.total);
          expect(Object.keys(feeds).length).toBeGreaterThan(0);
          read++;
        }
      } catch (error) {
        if (!OptimumError.isInstance(error) || error.code === 'E_INTERNAL')
          throw new Error(`seed ${seed}, round ${round}`, { cause: error });
        refused++;
      }
    }
    // Both ways were gone: else nothing was tried.
    expect(Math.min(read, refused)).toBeGreaterThan(0);
  });
});
