import { OptimumError, type TensorData } from '@optimum/core';
import { type ImageOptions, readImageOptions } from './image-options.ts';
import { pixelValues } from './pixel-values.ts';
import { checkModelSize, resizeImage } from './resize-image.ts';
import { resizeSize, thumbnailSize } from './resize-size.ts';
import { centerCrop, type RgbImage, toGray, toRgb } from './rgb-image.ts';

/** Turns decoded images into inputs of a model. It keeps nothing between images. */
export interface ImageProcessor {
  /** Where an option is applied otherwise than one would read it, one sentence each. */
  readonly notes: readonly string[];
  /**
   * `pixel_values` as float32 [1, channels, height, width]; for DETR also `pixel_mask` as int64 [1, 64, 64], all ones.
   * @throws E_DATA_MISMATCH when the image has not the channels that the options speak of, E_DATA_INVALID when its data
   *   are not as long as its size says, E_LIMIT_ELEMENTS when the result would be too large, E_UNSUPPORTED_FEATURE when
   *   sharp, which resizes, is not installed
   */
  process(image: RgbImage): Promise<Record<string, TensorData>>;
}

/**
 * The processor that a `preprocessor_config.json` describes, value for value as `@huggingface/transformers` 4.3.1 applies
 * it in Node, with these differences: `do_convert_grayscale` is done and not ignored; a window that is larger than the
 * image in one direction only is padded, where that version fails; and an option that is not known is an error.
 *
 * Without such a file a user can write one. What PP-OCR's recognition wants, for example:
 * ```json
 * { "size": { "height": 48 }, "do_normalize": true, "image_mean": 0.5, "image_std": 0.5, "do_flip_channel_order": true }
 * ```
 * A `size` of one edge, which is our own, keeps the aspect ratio.
 * @param config the parsed file
 * @param name what messages call it
 * @throws E_CONFIG_SCHEMA for wrong values, E_UNSUPPORTED_FEATURE for processors and options that are not known
 */
export function openImageProcessor(config: unknown, name = 'preprocessor_config.json'): ImageProcessor {
  const options = readImageOptions(config, name);
  return { notes: options.notes, process: (image) => processImage(image, options) };
}

async function processImage(image: RgbImage, options: ImageOptions): Promise<Record<string, TensorData>> {
  checkImage(image);
  let pixels = convert(image, options.convert);
  if (options.resize)
    pixels = await resizeImage(pixels, resizeSize(pixels, options.resize, options), options.resampling);
  if (options.thumbnail)
    pixels = await resizeImage(pixels, thumbnailSize(pixels, options.thumbnail), options.resampling);
  if (options.centerCrop) {
    checkModelSize(options.centerCrop);
    pixels = centerCrop(pixels, options.centerCrop);
  }
  const values = { pixel_values: pixelValues(pixels, options) };
  return options.pixelMask ? { ...values, pixel_mask: fullMask() } : values;
}

function convert(image: RgbImage, to: ImageOptions['convert']): RgbImage {
  if (to === undefined) return image;
  return to === 'rgb' ? toRgb(image) : toGray(image);
}

function checkImage({ width, height, channels, data }: RgbImage): void {
  const isWhole = Number.isSafeInteger(width) && Number.isSafeInteger(height) && width > 0 && height > 0;
  if (isWhole && [1, 3, 4].includes(channels) && data.length === width * height * channels) return;
  throw new OptimumError(
    'E_DATA_INVALID',
    `An image of ${width} × ${height} pixels and ${channels} channels cannot have ${data.length} bytes.`,
    { context: { width, height, channels, byteLength: data.length } },
  );
}

/** The mask has the size that transformers.js gives it, whatever the size of the image. */
function fullMask(): TensorData {
  const bytes = new Uint8Array(new BigInt64Array(64 * 64).fill(1n).buffer);
  return { elementType: 'int64', dims: [1, 64, 64], bytes };
}
