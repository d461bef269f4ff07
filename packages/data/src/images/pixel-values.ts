import { OptimumError, type TensorData } from '@optimum/core';
import type { ImageOptions, Normalization, Padding } from './image-options.ts';
import { mirror } from './mirror.ts';
import { checkModelSize } from './resize-image.ts';
import type { PixelSize, RgbImage } from './rgb-image.ts';

/**
 * The tensor `pixel_values`, float32 [1, channels, height, width]: levels rescaled and normalized, padded, and the order
 * of the channels turned round where that is asked for (after normalization, which goes by the image's own order). Every
 * step rounds to float32, as it does in transformers.js.
 * @throws E_DATA_MISMATCH when the channels do not fit to the options, E_LIMIT_ELEMENTS when the padded image is too large
 */
export function pixelValues(image: RgbImage, options: ImageOptions): TensorData {
  const { channels } = image;
  if (options.flipChannels && channels !== 3)
    throw mismatch(`"do_flip_channel_order" needs 3 channels, but the image has ${channels}`);
  const frame = paddedFrame(image, options.pad);
  const area = frame.width * frame.height;
  const values = new Float32Array(channels * area);
  for (let channel = 0; channel < channels; channel++) {
    const levels = levelTable(channel, channels, options);
    const plane = options.flipChannels ? channels - 1 - channel : channel;
    fillPlane(values.subarray(plane * area, (plane + 1) * area), image, channel, levels, frame);
  }
  return {
    elementType: 'float32',
    dims: [1, channels, frame.height, frame.width],
    bytes: new Uint8Array(values.buffer),
  };
}

/** What each of the 256 levels becomes in one channel. */
function levelTable(channel: number, channels: number, { rescale, normalize }: ImageOptions): Float32Array {
  const mean = normalize && ofChannel(normalize, 'mean', channel, channels);
  const deviation = normalize && ofChannel(normalize, 'deviation', channel, channels);
  return Float32Array.from({ length: 256 }, (_, level) => {
    const scaled = rescale === undefined ? level : Math.fround(rescale * level);
    return mean === undefined || deviation === undefined ? scaled : (scaled - mean) / deviation;
  });
}

function ofChannel(normalize: Normalization, key: keyof Normalization, channel: number, channels: number): number {
  const values = normalize[key];
  if (typeof values === 'number') return values;
  if (values.length === channels) return values[channel] as number;
  const name = key === 'mean' ? 'image_mean' : 'image_std';
  throw mismatch(`"${name}" has ${values.length} numbers, but the image has ${channels} channels`);
}

/** The padded image: where the original lies in it, and what surrounds that. */
interface Frame extends PixelSize {
  readonly left: number;
  readonly top: number;
  readonly content: Padding['with'];
}

function paddedFrame(image: RgbImage, pad: Padding | undefined): Frame {
  if (!pad) return { width: image.width, height: image.height, left: 0, top: 0, content: 'zeros' };
  const { width, height } = 'multiple' in pad.to ? upToMultiples(image, pad.to.multiple) : pad.to;
  checkModelSize({ width, height });
  if (width < image.width || height < image.height)
    throw mismatch(`the image is ${image.width} × ${image.height} pixels, but is to be padded to ${width} × ${height}`);
  const isAround = pad.with === 'black-around';
  const left = isAround ? Math.floor((width - image.width) / 2) : 0;
  const top = isAround ? Math.floor((height - image.height) / 2) : 0;
  return { width, height, left, top, content: pad.with };
}

function upToMultiples({ width, height }: PixelSize, multiple: number): PixelSize {
  const up = (length: number) => Math.ceil(length / multiple) * multiple;
  return { width: up(width), height: up(height) };
}

function fillPlane(plane: Float32Array, image: RgbImage, channel: number, levels: Float32Array, frame: Frame): void {
  if (frame.content === 'black-around') plane.fill(levels[0] as number);
  const isMirrored = frame.content === 'mirrored';
  const rows = isMirrored ? frame.height : image.height;
  const columns = isMirrored ? frame.width : image.width;
  for (let row = 0; row < rows; row++) {
    const from = mirror(row, image.height) * image.width;
    const to = (row + frame.top) * frame.width + frame.left;
    for (let column = 0; column < columns; column++) {
      const pixel = from + mirror(column, image.width);
      plane[to + column] = levels[image.data[pixel * image.channels + channel] as number] as number;
    }
  }
}

function mismatch(text: string): OptimumError {
  return new OptimumError('E_DATA_MISMATCH', `The preprocessor does not fit to the image: ${text}.`, {
    hint: 'Check do_convert_rgb, do_convert_grayscale, image_mean, image_std and pad_size.',
  });
}
