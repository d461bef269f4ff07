import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dim, ElementType, TensorData } from '@optimum/core';
import fc from 'fast-check';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bytesOfValues, valuesOf } from './features/element-values.ts';
import { writeTokenizer } from './features/tokenizer-fixture.ts';
import { type DataOptions, openData, readFeeds } from './open-data.ts';
import { writeParquet } from './rows/parquet-fixture.ts';
import { writeSafetensors } from './rows/safetensors-fixture.ts';
import type { SessionInput } from './session-inputs.ts';

let root = '';
beforeEach(() => {
  root = writeTokenizer(mkdtempSync(join(tmpdir(), 'optimum-formats-')));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const input = (name: string, shape: readonly Dim[], elementType: ElementType = 'float32'): SessionInput => ({
  name,
  elementType,
  shape,
});
const sessionOf = (...inputs: readonly SessionInput[]) => ({ sessions: [{ name: 'model', inputs }] });
const textSession = sessionOf(input('input_ids', ['batch', 'sequence'], 'int64'));
const imageSession = sessionOf(input('pixel_values', ['batch', 1, 2, 5]));

const write = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(root, name), content);
  return join(root, name);
};

const ids = async (options: Omit<DataOptions, 'model'>) =>
  (await readFeeds({ model: root, ...options })).map(({ input_ids }) =>
    Array.from(valuesOf(input_ids as TensorData), Number),
  );

const texts = ['one', 'two two', 'three', 'four', 'five'];
const tokens = [
  [2, 4, 3],
  [2, 5, 5, 3],
  [2, 6, 3],
  [2, 7, 3],
  [2, 8, 3],
];

describe('every format of text', () => {
  const files: readonly (readonly [string, () => string | Uint8Array])[] = [
    ['a.jsonl', () => texts.map((text) => JSON.stringify(text)).join('\n')],
    ['b.jsonl', () => texts.map((text, label) => JSON.stringify({ text, label, id: `row ${label}` })).join('\n')],
    ['c.txt', () => texts.join('\r\n')],
    ['d.csv', () => `label,Sentence\n${texts.map((text, label) => `${label},${text}`).join('\n')}`],
    ['e.tsv', () => texts.map((text, label) => `${text}\t${label}`).join('\n')],
    ['f.parquet', () => writeParquet([{ name: 'text', type: 'text', values: texts }], { rowsPerGroup: 2 })],
    [
      'g.parquet',
      () => writeParquet([{ name: 'sentence', type: 'bytes', values: texts.map((text) => Buffer.from(text)) }]),
    ],
    ['h.parquet', () => writeParquet([{ name: 'input_ids', type: 'int64 list', values: tokens }])],
  ];

  it.each(files)('%s gives the same tokens', async (name, content) => {
    const source = write(name, content());
    expect(await ids({ source, ...textSession })).toEqual(tokens);
  });

  it.each(files)(
    '%s gives the same samples by their numbers, however they are selected and split',
    async (name, content) => {
      const source = write(name, content());
      const all = await byIndex({ source, model: root, ...textSession });
      expect([...all.keys()]).toEqual([0, 1, 2, 3, 4]);
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: 6 }), fc.nat(), async (samples, seed) => {
          const some = await byIndex({ source, model: root, samples, seed, ...textSession });
          expect(some.size).toBe(Math.min(samples, 5));
          for (const [index, feeds] of some) expect(feeds).toEqual(all.get(index));
        }),
        { numRuns: 15 },
      );
    },
  );

  async function byIndex(options: DataOptions) {
    const found = new Map<number, unknown>();
    for await (const { index, feeds } of (await openData(options)).samples()) found.set(index, feeds);
    return found;
  }
});

describe('openData', () => {
  it('says how many there are, and gives them again', async () => {
    const data = await openData({ source: write('a.txt', texts.join('\n')), model: root, samples: 2, ...textSession });
    expect(data).toMatchObject({ source: join(root, 'a.txt'), count: 2, total: 5 });
    const read = async () => {
      const found = [];
      for await (const sample of data.samples()) found.push(sample);
      return found;
    };
    expect(await read()).toEqual(await read());
  });

  it('hashes what is in a file, not its name or time', async () => {
    const hash = async (name: string, content: string) =>
      (await openData({ source: write(name, content), model: root, ...textSession })).hash;
    const first = await hash('a.txt', 'one\n');
    // printf 'one\n' | sha256sum
    expect(first).toBe('2c8b08da5ce60398e1f19af0e5dccc744df274b826abe585eaba68c525434806');
    utimesSync(join(root, 'a.txt'), 1, 1);
    expect(await hash('b.txt', 'one\n')).toBe(first);
    expect(await hash('a.txt', 'two\n')).not.toBe(first);
  });

  it('divides samples among sessions', async () => {
    const sessions = [
      { name: 'encoder', inputs: [input('input_ids', ['batch', 'sequence'], 'int64')] },
      { name: 'decoder', inputs: [input('hidden', ['batch', 2])] },
      { name: 'head', inputs: [input('other', ['batch', 2])] },
    ];
    const source = write('a.jsonl', '"one"\n{"hidden": [[1, 2]]}\n"two"');
    const data = await openData({ source, model: root, sessions });
    const indices = async (name: string) => {
      const found = [];
      for await (const { index, feeds } of (await data.forSession(name))?.samples() ?? [])
        found.push([index, Object.keys(feeds)]);
      return found;
    };
    expect(await indices('encoder')).toEqual([
      [0, ['input_ids']],
      [2, ['input_ids']],
    ]);
    expect(await indices('decoder')).toEqual([[1, ['hidden']]]);
    expect(await data.forSession('head')).toBeUndefined();
    expect(await data.forSession('no such')).toBeUndefined();
  });

  it('takes the columns that the user names', async () => {
    const source = write('a.csv', 'body,title,label\none,two,0\n');
    expect(await ids({ source, columns: { text: 'title' }, ...textSession })).toEqual([[2, 5, 3]]);
    expect(await ids({ source, columns: { text: 'body', textPair: 'title' }, ...textSession })).toEqual([
      [2, 4, 3, 5, 3],
    ]);
    await expect(ids({ source, columns: { text: 'titel' }, ...textSession })).rejects.toMatchObject({
      code: 'E_DATA_MISMATCH',
      message: `${source}:2: there is no column "titel" (it has "body", "title", "label").`,
      hint: 'Did you mean "title"?',
    });
  });

  it('asks for the name that was most likely meant', async () => {
    const source = write('a.jsonl', '{"txt": "one"}');
    await expect(ids({ source, ...textSession })).rejects.toMatchObject({ hint: 'Did you mean "text"?' });
  });

  it('stops when it is interrupted', async () => {
    const controller = new AbortController();
    const source = write('a.txt', texts.join('\n'));
    const data = await openData({ source, model: root, signal: controller.signal, ...textSession });
    const seen: number[] = [];
    const read = async () => {
      for await (const { index } of data.samples()) {
        seen.push(index);
        if (index === 1) controller.abort();
      }
    };
    await expect(read()).rejects.toMatchObject({ code: 'E_INTERRUPTED' });
    expect(seen).toEqual([0, 1]);
  });

  it.each([
    ['data.xlsx', 'what kind of data this is cannot be told'],
    ['empty.parquet', 'not a Parquet file'],
    ['empty.safetensors', 'it has 0 bytes'],
    ['empty.csv', 'the file holds no sample'],
    ['empty.txt', 'the file holds no sample'],
  ])('refuses %s', async (name, message) => {
    await expect(ids({ source: write(name, ''), ...textSession })).rejects.toMatchObject({
      code: 'E_DATA_INVALID',
      message: expect.stringContaining(message),
    });
  });

  it('needs a row behind the header', async () => {
    await expect(ids({ source: write('a.csv', 'text,label\n'), ...textSession })).rejects.toThrow(/holds no sample/);
  });
});

describe('named tensors', () => {
  const floats = (values: readonly number[], shape: readonly number[]) => ({
    dtype: 'F32',
    shape,
    bytes: bytesOfValues(values, 'float32'),
  });

  it('of safetensors get an axis for the batch, the type of the model, and its batch size', async () => {
    const source = write('a.safetensors', writeSafetensors({ x: floats([1, 2, 3, 4], [2, 2]) }));
    const [, second] = await readFeeds({ source, model: root, ...sessionOf(input('x', [3, 2], 'float16')) });
    expect(second?.x).toMatchObject({ elementType: 'float16', dims: [3, 2] });
    expect(Array.from(valuesOf(second?.x as TensorData), Number)).toEqual([3, 4, 3, 4, 3, 4]);
  });

  it.each([
    ['other sizes', floats([1, 2, 3], [1, 3]), /row 0: "x" has the dimensions \[1, 3\], expected \[batch, 2\]/],
    ['a higher rank', floats([1, 2], [1, 1, 1, 2]), /"x" has the dimensions \[1, 1, 1, 2\], expected 2 of them/],
    ['NaN', floats([1, Number.NaN], [1, 2]), /"x" holds NaN/],
    ['integers', { dtype: 'I64', shape: [1, 2], bytes: new Uint8Array(16) }, /"x" is int64, expected float32/],
    ['levels', { dtype: 'U8', shape: [1, 2], bytes: new Uint8Array(2) }, /"x" is uint8, expected float32/],
  ])('refuses %s', async (_, tensor, message) => {
    const source = write('a.safetensors', writeSafetensors({ x: tensor }));
    await expect(readFeeds({ source, model: root, ...sessionOf(input('x', ['batch', 2])) })).rejects.toMatchObject({
      code: 'E_DATA_MISMATCH',
      message: expect.stringMatching(message),
    });
  });

  it('are not what JSON only calls so', async () => {
    const forged = { elementType: 'float32', dims: [1, 2], bytes: { length: 8 } };
    const source = write('a.jsonl', JSON.stringify({ x: { tensor: forged, ...forged } }));
    await expect(readFeeds({ source, model: root, ...sessionOf(input('x', ['batch', 2])) })).rejects.toThrow(
      /a\.jsonl:1: "x" holds \{"tensor"/,
    );
  });

  it('tells a row that is wrong when it comes to it', async () => {
    const source = write('a.safetensors', writeSafetensors({ x: floats([1, 2, 3, Number.NaN], [2, 2]) }));
    await expect(readFeeds({ source, model: root, ...sessionOf(input('x', ['batch', 2])) })).rejects.toThrow(
      /a\.safetensors, row 1: "x" holds NaN/,
    );
  });
});

describe('images and audio', () => {
  const levels = Uint8Array.of(0, 51, 102, 153, 204, 255, 1, 2, 3, 4);
  const png = () =>
    sharp(levels, { raw: { width: 5, height: 2, channels: 1 } })
      .toColourspace('b-w')
      .png()
      .toBuffer();
  const expected = Array.from(levels, (level) => Math.fround(Math.fround(1 / 255) * level));
  const pixels = async (source: string) => {
    const [feeds] = await readFeeds({ source, model: root, ...imageSession });
    return Array.from(valuesOf(feeds?.pixel_values as TensorData), Number);
  };
  beforeEach(() => {
    write(
      'preprocessor_config.json',
      JSON.stringify({ do_convert_rgb: false, do_rescale: true, rescale_factor: 1 / 255, do_normalize: false }),
    );
  });

  it('come from JSON lines, folders, Parquet and safetensors', async () => {
    mkdirSync(join(root, 'images'));
    write('images/a.png', await png());
    const close = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 6));
    expect(await pixels(write('a.jsonl', '{"image": "images/a.png", "text": "one", "label": 3}'))).toEqual(
      close(expected),
    );
    expect(await pixels(join(root, 'images'))).toEqual(close(expected));
    const parquet = writeParquet([{ name: 'image', type: 'bytes', values: [await png()] }]);
    expect(await pixels(write('a.parquet', parquet))).toEqual(close(expected));
    const planes = { dtype: 'U8', shape: [1, 1, 2, 5], bytes: levels };
    expect(await pixels(write('a.safetensors', writeSafetensors({ images: planes })))).toEqual(close(expected));
  });

  it('are made for an input of the same name', async () => {
    write('a.png', await png());
    const source = write('a.jsonl', '{"image": "a.png"}');
    const [feeds] = await readFeeds({ source, model: root, ...sessionOf(input('image', ['batch', 1, 2, 5])) });
    expect(feeds?.image?.dims).toEqual([1, 1, 2, 5]);
  });

  it('count for the hash where rows name them', async () => {
    const source = write('a.jsonl', '{"image": "a.png"}\n{"image": "b.png"}');
    write('a.png', await png());
    write('b.png', await png());
    const hash = async () => (await openData({ source, model: root, samples: 1, ...imageSession })).hash;
    const before = await hash();
    expect(await hash()).toBe(before);
    write('b.png', Buffer.concat([await png(), Buffer.from('more')]));
    expect(await hash()).not.toBe(before);
  });

  it.each([
    ['../secret.png', /a\.jsonl:1: the file "\.\.\/secret\.png" is refused: the name goes up/],
    ['/etc/passwd', /is refused: the name is absolute/],
    ['link.png', /is refused: it leads to .*outside of the folder/],
  ])('are not read from %s', async (name, message) => {
    symlinkSync('/etc/hosts', join(root, 'link.png'));
    await expect(pixels(write('a.jsonl', JSON.stringify({ image: name })))).rejects.toMatchObject({
      code: 'E_PATH_ESCAPE',
      message: expect.stringMatching(message),
    });
  });

  it.each([
    ['{"image": 5}', /a\.jsonl:1: 5 is no image/],
    ['{"image": [[1, 2]]}', /a\.jsonl:1: \[\[1,2\]\] is no image/],
    ['{"image": {"path": "/etc/hosts"}}', /a\.jsonl:1: \{"path":"\/etc\/hosts"\} is no image/],
    ['{"image": {"bytes": [1, 2]}}', /is no image/],
    ['{"image": "a.jsonl"}', /a\.jsonl:1.* cannot be decoded/],
  ])('are not %s', async (row, message) => {
    await expect(pixels(write('a.jsonl', row))).rejects.toMatchObject({
      code: 'E_DATA_INVALID',
      message: expect.stringMatching(message),
    });
  });

  it('need the preprocessing of the model', async () => {
    rmSync(join(root, 'preprocessor_config.json'));
    await expect(pixels(write('a.jsonl', '{"image": "a.png"}'))).rejects.toThrow(
      /images, but .* has no preprocessor_config/,
    );
  });

  it('are preprocessed as the user says', async () => {
    write('a.png', await png());
    const source = write('a.jsonl', '{"image": "a.png"}');
    const preprocessor = write('mine.json', '{"do_convert_rgb": false, "do_rescale": false, "do_normalize": false}');
    const [feeds] = await readFeeds({ source, model: root, preprocessor, ...imageSession });
    expect(Array.from(valuesOf(feeds?.pixel_values as TensorData), Number)).toEqual([...levels]);
    const missing = readFeeds({ source, model: root, preprocessor: join(root, 'none.json'), ...imageSession });
    await expect(missing).rejects.toMatchObject({ code: 'E_IO' });
  });

  it('come from WAV files, by name or as samples', async () => {
    write(
      'processor_config.json',
      JSON.stringify({
        feature_extractor: {
          feature_extractor_type: 'Wav2Vec2FeatureExtractor',
          sampling_rate: 8000,
          do_normalize: false,
        },
      }),
    );
    rmSync(join(root, 'preprocessor_config.json'));
    const wav = Buffer.alloc(44 + 4);
    wav.write('RIFF', 0);
    wav.writeUInt32LE(40, 4);
    wav.write('WAVEfmt ', 8);
    [16, 0x10001, 8000, 16000, 0x100002].forEach((value, index) => wav.writeUInt32LE(value, 16 + 4 * index));
    wav.write('data', 36);
    wav.writeUInt32LE(4, 40);
    wav.writeInt16LE(16384, 44);
    mkdirSync(join(root, 'clips'));
    write('clips/a.wav', wav);
    const session = sessionOf(input('input_values', ['batch', 'samples']));
    const samples = async (source: string) => {
      const [feeds] = await readFeeds({ source, model: root, ...session });
      return Array.from(valuesOf(feeds?.input_values as TensorData), Number);
    };
    expect(await samples(join(root, 'clips'))).toEqual([expect.closeTo(0.5, 4), 0]);
    expect(await samples(write('a.csv', 'audio,label\nclips/a.wav,1\n'))).toEqual([expect.closeTo(0.5, 4), 0]);
    const waveform = { dtype: 'F32', shape: [1, 2], bytes: bytesOfValues([0.25, -1], 'float32') };
    expect(await samples(write('a.safetensors', writeSafetensors({ audio: waveform })))).toEqual([0.25, -1]);
  });
});
