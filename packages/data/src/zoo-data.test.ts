import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { AutoTokenizer, env } from '@huggingface/transformers';
import type { TensorData } from '@optimum/core';
import { afterAll, describe, expect, it } from 'vitest';
import { zooPaths } from '../../../tools/testing/zoo.ts';
import { type DataOptions, openData, readFeeds } from './open-data.ts';

const scratch = mkdtempSync(join(tmpdir(), 'optimum-zoo-data-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const texts = zooPaths('own/reviews-bert-256', 'models/minilm', 'data/sst2-dev.tsv', 'data/stsb-en-dev.csv');
const others = zooPaths(
  'own/digits-vit',
  'own/digits-vit/calibration.safetensors',
  'models/fsdd-kwt.onnx',
  'data/fsdd-calibration.safetensors',
  'models/ppocr-v4-rec.onnx',
  'data/ocr-lines',
);

const numbers = ({ bytes }: TensorData): number[] => Array.from(new BigInt64Array(bytes.slice().buffer), Number);
const floats = ({ bytes }: TensorData): Float32Array => new Float32Array(bytes.slice().buffer);

/** What transformers.js makes of texts, cut to `maxLength`. */
async function reference(folder: string, rows: readonly (readonly [string, string?])[], maxLength?: number) {
  Object.assign(env, { allowRemoteModels: false, localModelPath: dirname(folder) });
  const tokenizer = await AutoTokenizer.from_pretrained(basename(folder), { local_files_only: true });
  return rows.map(([text, pair]) =>
    Object.fromEntries(
      Object.entries(
        tokenizer(text, {
          ...(pair !== undefined && { text_pair: pair }),
          truncation: true,
          ...(maxLength && { max_length: maxLength }),
          return_tensor: false,
        }) as Record<string, number[]>,
      ),
    ),
  );
}

const tokensOf = async (options: DataOptions) =>
  (await readFeeds(options)).map((feeds) =>
    Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, numbers(tensor)])),
  );

describe.skipIf(!texts)('text of the zoo', () => {
  const [reviews = '', minilm = '', sst2 = '', stsb = ''] = texts ?? [];
  const sentences = () =>
    readFileSync(sst2, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => [line.split('\t')[0] as string] as const);

  it.each([
    ['reviews-bert-256', () => reviews, undefined],
    ['reviews-bert-256 cut to 7', () => reviews, 7],
    ['minilm', () => minilm, undefined],
    ['minilm cut to 5', () => minilm, 5],
  ])('%s: tokens of 872 sentences as transformers.js makes them', async (_, model, maxLength) => {
    const ours = await tokensOf({ source: sst2, model: model(), maxLength });
    expect(ours).toEqual(await reference(model(), sentences(), maxLength));
  });

  it.each([
    ['reviews-bert-256', () => reviews, 20],
    ['minilm', () => minilm, undefined],
  ])('%s: pairs, out of a CSV file with quotes', async (_, model, maxLength) => {
    const pairs = [
      ['A man with a hard hat is dancing.', 'A man wearing a hard hat is dancing.'],
      ['"Quoted", with a comma', 'and a\nline break'],
      ['naïve café — 東京 🙂', ''],
      ['word '.repeat(600), 'never seen'],
    ] as const;
    const source = join(scratch, 'pairs.csv');
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
    writeFileSync(source, `sentence1,sentence2\r\n${pairs.map((pair) => pair.map(quoted).join(',')).join('\r\n')}`);
    const expected = await reference(model(), pairs, maxLength);
    expect(await tokensOf({ source, model: model(), maxLength })).toEqual(expected);
    const lines = join(scratch, 'pairs.jsonl');
    writeFileSync(lines, pairs.map(([text, text_pair]) => JSON.stringify({ text, text_pair })).join('\n'));
    expect(await tokensOf({ source: lines, model: model(), maxLength })).toEqual(expected);
  });

  it('reads the 1,500 pairs of STS-B, which have no header', async () => {
    const data = await openData({ source: stsb, model: minilm, samples: 20 });
    expect(data).toMatchObject({ count: 20, total: 1500 });
    const [first] = await tokensOf({ source: stsb, model: minilm });
    const [expected] = await reference(minilm, [
      ['A man with a hard hat is dancing.', 'A man wearing a hard hat is dancing.'],
    ]);
    expect(first).toEqual(expected);
  });
});

describe.skipIf(!others)('tensors, images and audio of the zoo', () => {
  const [vit = '', digits = '', kwt = '', speech = '', ocr = '', lines = ''] = others ?? [];

  it('preprocesses the levels of digits', async () => {
    const data = await openData({ source: digits, model: vit });
    const all = [];
    for await (const { index, feeds } of data.samples()) all.push([index, feeds] as const);
    expect(all.map(([index]) => index)).toEqual(Array.from({ length: 200 }, (_, index) => index));
    const [, feeds] = all[3] as (typeof all)[number];
    const image = feeds.pixel_values as TensorData;
    expect(image.dims).toEqual([1, 1, 28, 28]);
    // pixel = (u8 / 255 − 0.1307) / 0.3081; the header has 144 bytes and the length 8.
    const file = readFileSync(digits);
    const start = 8 + Number(file.readBigUInt64LE(0)) + 3 * 784;
    const worst = floats(image).reduce((most, value, at) => {
      return Math.max(most, Math.abs(value - ((file[start + at] as number) / 255 - 0.1307) / 0.3081));
    }, 0);
    // Each of three operations rounds to float32, of values below 3.
    expect(worst).toBeLessThan(1e-6);
  });

  it('slices log-mel spectrograms', async () => {
    const [feeds] = await readFeeds({ source: speech, model: kwt, samples: 1, seed: 5 });
    expect(feeds?.log_mel).toMatchObject({ elementType: 'float32', dims: [1, 62, 32] });
  });

  it('reads images that JSON lines name, and a folder of the same', async () => {
    const model = join(scratch, 'model.onnx');
    copyFileSync(ocr, model);
    const settings = { size: { height: 48 }, do_normalize: true, image_mean: 0.5, image_std: 0.5 };
    writeFileSync(
      join(scratch, 'preprocessor_config.json'),
      JSON.stringify({ ...settings, do_flip_channel_order: true }),
    );
    const named = await openData({ source: join(lines, 'lines.jsonl'), model });
    const folder = await openData({ source: lines, model });
    expect([named.total, folder.total]).toEqual([100, 100]);
    expect(named.hash).not.toBe(folder.hash);
    const first = async (data: typeof named) => {
      for await (const { feeds } of data.samples()) return feeds;
      return undefined;
    };
    const feeds = await first(named);
    expect(feeds?.x?.dims).toEqual([1, 3, 48, 348]);
    expect(await first(folder)).toEqual(feeds);
  });
});
