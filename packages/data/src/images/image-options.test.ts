import { OptimumError } from '@optimum/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readImageOptions } from './image-options.ts';

const read = (config: unknown) => readImageOptions(config, 'preprocessor_config.json');

function errorOf(config: unknown): { code: string; message: string } {
  try {
    read(config);
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error('no error');
}

describe('options that ask for what is not supported', () => {
  it.each([
    ['image_processor_type', { image_processor_type: 'Qwen2VLImageProcessor' }],
    ['image_processor_type', { image_processor_type: 'ViT' }],
    ['image_processor_type', { image_processor_type: 'constructorImageProcessor' }],
    ['image_processor_type', { feature_extractor_type: 'WhisperFeatureExtractor' }],
    ['image_processor_type', { image_processor_type: 7 }],
    ['do_crop_margin', { do_crop_margin: true }],
    ['rescale_offset', { rescale_offset: true }],
    ['crop_pct', { crop_pct: 0.9, image_processor_type: 'ViTImageProcessor' }],
    ['data_format', { data_format: 'channels_last' }],
    ['size.max_height', { size: { max_height: 3, max_width: 3, height: 2 } }],
    ['do_sharpen', { do_sharpen: 'yes' }],
  ])('%s is named', (key, config) => {
    expect(errorOf(config)).toMatchObject({ code: 'E_UNSUPPORTED_FEATURE' });
    expect(errorOf(config).message).toContain(`"${key}"`);
  });

  it('but null and false ask for nothing', () => {
    expect(() => read({ do_sharpen: false, crop_pct: null, rescale_offset: false })).not.toThrow();
  });
});

describe('values that are wrong', () => {
  it.each([
    ['size', { size: 1e9 }],
    ['size.height', { size: { height: 1e9, width: 2 } }],
    ['size.height', { size: { height: 0, width: 2 } }],
    ['size.shortest_edge', { size: { shortest_edge: '224' } }],
    ['size.height', { size: { height: 2.5 } }],
    ['size', { size: [224, 224] }],
    ['size', { size: {} }],
    ['size', { size: { height: 3, shortest_edge: 4 } }],
    ['size', { do_resize: true }],
    ['crop_size', { do_center_crop: true }],
    ['crop_size', { do_center_crop: true, crop_size: -1 }],
    ['crop_size', { do_center_crop: true, crop_size: { height: 3 } }],
    ['pad_size', { do_pad: true, pad_size: Number.NaN }],
    ['resample', { resample: 6 }],
    ['resample', { resample: 'sharp' }],
    ['do_resize', { do_resize: 'true' }],
    ['rescale_factor', { rescale_factor: 0 }],
    ['image_std', { do_normalize: true, image_mean: 0, image_std: 0 }],
    ['image_std', { do_normalize: true, image_mean: 0, image_std: [1, -1, 1] }],
    ['image_std', { do_normalize: true, image_mean: 0 }],
    ['image_mean', { do_normalize: true, image_mean: ['a'], image_std: 1 }],
    ['image_mean', { do_normalize: true, image_mean: [], image_std: 1 }],
    ['do_convert_grayscale', { do_convert_rgb: true, do_convert_grayscale: true }],
    ['do_thumbnail', { do_thumbnail: true, size: { shortest_edge: 4 } }],
    ['shortest_edge', { image_processor_type: 'ConvNextImageProcessor', size: { height: 4, width: 4 } }],
    [
      'do_center_crop',
      {
        image_processor_type: 'ConvNextImageProcessor',
        size: { shortest_edge: 4 },
        do_center_crop: true,
        crop_size: 3,
      },
    ],
  ])('%s is named', (key, config) => {
    expect(errorOf(config)).toMatchObject({ code: 'E_CONFIG_SCHEMA' });
    expect(errorOf(config).message).toContain(`"${key}"`);
  });

  it.each([[null], [[]], ['text'], [undefined]])('%j is no configuration', (config) => {
    expect(errorOf(config)).toMatchObject({ code: 'E_CONFIG_SCHEMA' });
  });

  it('are told together', () => {
    const { message } = errorOf({ resample: 9, do_normalize: true, size: { height: -1, width: 1 } });
    for (const key of ['resample', 'image_std', 'size.height']) expect(message).toContain(`"${key}"`);
  });
});

describe('notes', () => {
  it('say what is done otherwise than one would read it', () => {
    expect(read({ size: { height: 2, width: 2 }, resample: 4 }).notes).toHaveLength(1);
    expect(read({ size: 224 }).notes[0]).toContain('longer edge becomes 224');
    expect(read({ size: { shortest_edge: 800, longest_edge: 1333 } }).notes[0]).toContain('1333');
    expect(read({ size: { shortest_edge: 224 } }).notes).toEqual([]);
  });
});

const keys = [
  ...[
    'size',
    'crop_size',
    'pad_size',
    'max_size',
    'size_divisor',
    'resample',
    'crop_pct',
    'rescale_factor',
    'image_mean',
  ],
  ...[
    'image_std',
    'do_resize',
    'do_center_crop',
    'do_pad',
    'do_normalize',
    'do_rescale',
    'do_thumbnail',
    'data_format',
  ],
  ...['do_convert_rgb', 'do_convert_grayscale', 'do_flip_channel_order', 'image_processor_type', 'ensure_multiple_of'],
];

it('whatever a configuration holds, it is read or refused by name', () => {
  const value = fc.oneof(fc.jsonValue(), fc.constantFrom({ height: 8, width: 9 }, { shortest_edge: 7 }, 0, 1e9, true));
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...keys), value), (config) => {
      try {
        expect(read(config).notes).toBeInstanceOf(Array);
      } catch (error) {
        expect(OptimumError.isInstance(error) && error.message).toMatch(
          /^preprocessor_config.json (is not valid|asks for)/,
        );
      }
    }),
    { numRuns: 500 },
  );
});
