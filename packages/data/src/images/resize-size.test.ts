import * as transformers from '@huggingface/transformers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readImageOptions } from './image-options.ts';
import { resizeImage } from './resize-image.ts';
import { resizeSize, type TargetSize } from './resize-size.ts';

interface Oracle {
  get_resize_output_image_size(image: { size: [number, number] }, size: unknown): [number, number];
}

const { ImageFeatureExtractor } = transformers as unknown as { ImageFeatureExtractor: new (config: object) => Oracle };

function expectEqual(config: Record<string, unknown>, width: number, height: number): void {
  const options = readImageOptions(config, 'preprocessor_config.json');
  const ours = resizeSize({ width, height }, options.resize as TargetSize, options);
  const theirs = new ImageFeatureExtractor(config).get_resize_output_image_size({ size: [width, height] }, config.size);
  expect([ours.width, ours.height]).toEqual(theirs);
}

const edge = fc.integer({ min: 1, max: 3000 });

describe('the size that an image is resized to is that of transformers.js', () => {
  const sizes = fc.oneof(
    edge,
    fc.record({ shortest_edge: edge }),
    fc.record({ longest_edge: edge }),
    fc.record({ shortest_edge: edge, longest_edge: edge }),
    fc.record({ height: edge, width: edge }),
  );

  it('for any image and any kind of size', () => {
    const divisor = fc.option(fc.integer({ min: 1, max: 64 }), { nil: null });
    fc.assert(
      fc.property(sizes, edge, edge, divisor, (size, width, height, size_divisor) =>
        expectEqual({ size, ...(size_divisor && { size_divisor }) }, width, height),
      ),
      { numRuns: 1000 },
    );
  });

  it('where a fraction is rounded up at the second decimal: 332.996 is 333', () => {
    expectEqual({ size: { shortest_edge: 332 } }, 1003, 1000);
  });

  it('in multiples, halves to the even one', () => {
    const small = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(
        small,
        small,
        small,
        small,
        fc.integer({ min: 1, max: 8 }),
        (height, width, w, h, ensure_multiple_of) =>
          expectEqual({ size: { height, width }, keep_aspect_ratio: true, ensure_multiple_of }, w, h),
      ),
      { numRuns: 1000 },
    );
    expectEqual({ size: { height: 5, width: 5 }, keep_aspect_ratio: true, ensure_multiple_of: 2 }, 5, 5);
  });
});

it('one edge given: the other follows, to the nearest, and is never zero', () => {
  const options = readImageOptions({ size: { height: 48 } }, 'preprocessor_config.json');
  const sizeOf = (width: number, height: number) =>
    resizeSize({ width, height }, options.resize as TargetSize, options);
  expect(sizeOf(203, 96)).toEqual({ width: 102, height: 48 });
  expect(sizeOf(1, 3000)).toEqual({ width: 1, height: 48 });
  expect(readImageOptions({ size: { width: 9 } }, '').resize).toEqual({ kind: 'one-edge', edge: 'width', length: 9 });
});

it('resizing to the same size changes nothing', async () => {
  const image = { width: 3, height: 2, channels: 3 as const, data: Uint8Array.from({ length: 18 }, (_, i) => 14 * i) };
  for (const resampling of ['nearest', 'bilinear', 'bicubic', 'lanczos'] as const)
    expect(await resizeImage(image, { width: 3, height: 2 }, resampling)).toBe(image);
});
