import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as transformers from '@huggingface/transformers';
import { env, RawImage } from '@huggingface/transformers';
import type { TensorData } from '@optimum/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { zooPaths } from '../../../../tools/testing/zoo.ts';
import { decodeImage } from './decode-image.ts';
import { openImageProcessor } from './open-image-processor.ts';
import families from './published-configs.json' with { type: 'json' };
import type { RgbImage } from './rgb-image.ts';

env.allowRemoteModels = false;

/** Noise over a gradient: every level, no symmetry. */
function testImage(width: number, height: number, channels: RgbImage['channels'] = 3): RgbImage {
  let state = width * 65_537 + height * 257 + channels;
  const data = Uint8Array.from({ length: width * height * channels }, (_, index) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 26) + ((index / channels) * 190) / (width * height);
  });
  return { width, height, channels, data };
}

type Oracle = (
  image: RawImage,
) => Promise<{ pixel_values: { dims: number[]; data: Float32Array }; pixel_mask?: { dims: number[] } }>;

type Classes = Record<string, new (config: object) => Oracle>;

/** What transformers.js makes of the same pixels. */
async function oracle(config: Record<string, unknown>, image: RgbImage) {
  const type = (config.image_processor_type ?? config.feature_extractor_type ?? 'ImageFeatureExtractor') as string;
  const Processor = (transformers as unknown as Classes)[type.replace(/Fast$/, '')];
  if (!Processor) throw new Error(`transformers.js has no ${type}`);
  const raw = new RawImage(new Uint8ClampedArray(image.data), image.width, image.height, image.channels);
  return await new Processor(structuredClone(config))(raw);
}

async function expectEqual(config: Record<string, unknown>, image: RgbImage): Promise<void> {
  const [ours, theirs] = await Promise.all([openImageProcessor(config).process(image), oracle(config, image)]);
  expect(ours.pixel_values?.dims).toEqual(theirs.pixel_values.dims);
  // Equal in every bit: the same library resizes, and the same roundings follow.
  expect(Buffer.compare(ours.pixel_values?.bytes as Uint8Array, bytesOf(theirs.pixel_values.data))).toBe(0);
  expect(ours.pixel_mask?.dims).toEqual(theirs.pixel_mask?.dims);
}

const mnist = { do_normalize: true, image_mean: [0.1307], image_std: [0.3081] };
const floatsOf = ({ bytes }: TensorData) => new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
const bytesOf = (values: Float32Array) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

const shapes: readonly (readonly [number, number])[] = [
  [90, 61],
  [61, 90],
  [30, 24],
  [64, 64],
  [257, 40],
];

describe('image processors give what transformers.js gives, bit for bit', () => {
  for (const [name, config] of Object.entries<Record<string, unknown>>(families)) {
    it(name, async () => {
      for (const [width, height] of shapes) {
        for (const channels of [1, 3, 4] as const) await expectEqual(config, testImage(width, height, channels));
      }
    });
  }
});

describe('where transformers.js does otherwise or fails', () => {
  it('converts to gray when the configuration says so: digits-vit', async () => {
    const config = { do_convert_rgb: false, do_convert_grayscale: true, size: { height: 28, width: 28 }, ...mnist };
    const color = testImage(40, 40);
    const { pixel_values: ours } = await openImageProcessor(config).process(color);
    const raw = new RawImage(new Uint8ClampedArray(color.data), 40, 40, 3).grayscale();
    const gray: RgbImage = { width: 40, height: 40, channels: 1, data: Uint8Array.from(raw.data) };
    const theirs = await oracle(config, gray);
    expect(ours?.dims).toEqual([1, 1, 28, 28]);
    expect(Buffer.compare(ours?.bytes as Uint8Array, bytesOf(theirs.pixel_values.data))).toBe(0);
    await expectEqual({ ...config, do_convert_grayscale: false }, gray);
    // Gray is meant where only gray is asked for.
    const { do_convert_rgb: _, ...rest } = config;
    expect(await openImageProcessor(rest).process(color)).toEqual({ pixel_values: ours });
  });

  it('pads and cuts at once when the window is wider but lower than the image', async () => {
    const image = testImage(4, 8, 1);
    const config = {
      do_convert_rgb: false,
      do_center_crop: true,
      crop_size: { height: 2, width: 6 },
      do_rescale: false,
    };
    const { pixel_values: values } = await openImageProcessor(config).process(image);
    const rows = [3, 4].map((row) => [0, ...image.data.subarray(4 * row, 4 * row + 4), 0]);
    expect([...floatsOf(values as TensorData)]).toEqual(rows.flat());
  });
});

const [digits] = zooPaths('own/digits-vit') ?? [];

describe('the digits of the zoo', () => {
  it.skipIf(!digits)('become pixel values by the folder, as its README states the formula', async () => {
    const config: unknown = JSON.parse(readFileSync(join(digits as string, 'preprocessor_config.json'), 'utf8'));
    const digit = testImage(28, 28, 1);
    const { pixel_values: values } = await openImageProcessor(config).process(digit);
    expect(values?.dims).toEqual([1, 1, 28, 28]);
    const expected = Array.from(digit.data, (level) => (level / 255 - 0.1307) / 0.3081);
    // One rounding to float32 of the rescaled level, of at most 2^-25, is divided by 0.3081.
    floatsOf(values as TensorData).forEach((value, index) => expect(value).toBeCloseTo(expected[index] as number, 6));
  });
});

describe('text lines for PP-OCR', () => {
  const config = {
    size: { height: 48 },
    do_flip_channel_order: true,
    do_normalize: true,
    image_mean: 0.5,
    image_std: 0.5,
  };

  it('keep their aspect ratio, and blue comes first', async () => {
    const image = testImage(203, 96);
    const processor = openImageProcessor(config);
    const values = (await processor.process(image)).pixel_values as TensorData;
    expect(values.dims).toEqual([1, 3, 48, Math.round(203 / 2)]);
    const same = testImage(60, 48);
    const floats = floatsOf((await processor.process(same)).pixel_values as TensorData);
    const blue = same.data[2] as number;
    expect(floats[0]).toBe(Math.fround((Math.fround(blue / 255) - 0.5) / 0.5));
  });

  const [lines] = zooPaths('data/ocr-lines') ?? [];

  it.skipIf(!lines)('of the zoo are 48 pixels high already and stay as they are', async () => {
    const image = await decodeImage(join(lines as string, '000.png'));
    expect(image.height).toBe(48);
    const values = (await openImageProcessor(config).process(image)).pixel_values as TensorData;
    expect(values.dims).toEqual([1, 3, 48, image.width]);
    const rgb = image.channels === 1 ? image.data[0] : image.data[2];
    expect(floatsOf(values)[0]).toBeCloseTo(((rgb as number) / 255 - 0.5) / 0.5, 6);
  });
});

describe('properties', () => {
  const image = fc
    .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), fc.constantFrom(1, 3, 4))
    .chain(([width, height, channels]) =>
      fc
        .uint8Array({ minLength: width * height * channels, maxLength: width * height * channels })
        .map((data): RgbImage => ({ width, height, channels: channels as 1 | 3 | 4, data })),
    );

  it('normalization can be undone: every level comes back', async () => {
    await fc.assert(
      fc.asyncProperty(
        image,
        fc.double({ min: -2, max: 2, noNaN: true }),
        fc.double({ min: 0.1, max: 3, noNaN: true }),
        async (given, mean, deviation) => {
          const config = { do_convert_rgb: false, do_normalize: true, image_mean: mean, image_std: deviation };
          const values = floatsOf((await openImageProcessor(config).process(given)).pixel_values as TensorData);
          const area = given.width * given.height;
          values.forEach((value, index) => {
            const level = given.data[(index % area) * given.channels + Math.floor(index / area)] as number;
            expect(Math.abs((value * deviation + mean) * 255 - level)).toBeLessThan(0.01);
          });
        },
      ),
    );
  });

  it('any window that is larger or smaller both ways: as transformers.js', async () => {
    await fc.assert(
      fc.asyncProperty(
        image,
        fc.nat({ max: 9 }),
        fc.nat({ max: 9 }),
        fc.boolean(),
        async (given, right, below, isLarger) => {
          const sign = isLarger ? 1 : -1;
          const width = Math.max(1, given.width + sign * right);
          const height = Math.max(1, given.height + sign * below);
          await expectEqual({ do_convert_rgb: false, do_center_crop: true, crop_size: { width, height } }, given);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('any size, method and number of channels: as transformers.js', async () => {
    const edges = fc.integer({ min: 1, max: 20 });
    await fc.assert(
      fc.asyncProperty(image, edges, edges, fc.integer({ min: 0, max: 3 }), async (given, width, height, resample) => {
        await expectEqual({ do_convert_rgb: false, size: { width, height }, resample }, given);
      }),
      { numRuns: 60 },
    );
  });
});

describe('images that cannot be processed', () => {
  const code = (config: Record<string, unknown>, given: RgbImage) => openImageProcessor(config).process(given);

  it('data that are not as long as the size says', async () => {
    await expect(code({}, { ...testImage(4, 4), width: 5 })).rejects.toMatchObject({ code: 'E_DATA_INVALID' });
    await expect(code({}, { ...testImage(4, 4), width: 0 })).rejects.toMatchObject({ code: 'E_DATA_INVALID' });
    await expect(code({}, { ...testImage(4, 4), width: Number.NaN })).rejects.toMatchObject({ code: 'E_DATA_INVALID' });
  });

  it('channels that the options do not speak of', async () => {
    const means = { do_convert_rgb: false, do_normalize: true, image_mean: [0, 0, 0], image_std: [1, 1, 1] };
    await expect(code(means, testImage(4, 4, 1))).rejects.toMatchObject({ code: 'E_DATA_MISMATCH' });
    const flip = { do_convert_rgb: false, do_flip_channel_order: true };
    await expect(code(flip, testImage(4, 4, 4))).rejects.toMatchObject({ code: 'E_DATA_MISMATCH' });
    const pad = { do_pad: true, pad_size: 3 };
    await expect(code(pad, testImage(4, 4))).rejects.toMatchObject({ code: 'E_DATA_MISMATCH' });
  });

  it('results that would not fit into memory', async () => {
    const huge = { height: 60_000, width: 60_000 };
    for (const config of [
      { size: huge },
      { do_center_crop: true, crop_size: huge },
      { do_pad: true, pad_size: huge },
      { size: { shortest_edge: 60_000 } },
      { size: { height: 20_000 } },
    ])
      await expect(code(config, testImage(4, 4))).rejects.toMatchObject({ code: 'E_LIMIT_ELEMENTS' });
    // A line of one pixel would become a line of none.
    const thin = code({ size: { longest_edge: 10 } }, testImage(2000, 1));
    await expect(thin).rejects.toMatchObject({ code: 'E_LIMIT_ELEMENTS' });
  });
});
