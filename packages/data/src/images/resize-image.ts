import { OptimumError } from '@optimum/core';
import { loadSharp } from './load-sharp.ts';
import { type PixelSize, type RgbImage, withChannels } from './rgb-image.ts';

/** How pixels are interpolated. */
export type Resampling = 'nearest' | 'bilinear' | 'bicubic' | 'lanczos';

/** 16.8 million pixels: 201 MB as three float channels. */
export const maxModelPixels = 2 ** 24;
const maxEdge = 2 ** 16 - 1;

/**
 * The image at another size, by the operations of sharp that transformers.js uses in Node, so that every byte agrees:
 * an affine transform without antialiasing, or Lanczos with three lobes. The same size is the same image.
 * @throws E_LIMIT_ELEMENTS when the new size is past `maxModelPixels`, E_UNSUPPORTED_FEATURE when sharp is missing
 */
export async function resizeImage(image: RgbImage, size: PixelSize, resampling: Resampling): Promise<RgbImage> {
  checkModelSize(size);
  if (image.width === size.width && image.height === size.height) return image;
  const sharp = await loadSharp();
  const { width, height, channels } = image;
  const source = sharp(image.data, { raw: { width, height, channels } });
  const resized =
    resampling === 'lanczos'
      ? source.resize({ ...size, fit: 'fill', kernel: 'lanczos3' })
      : source.affine([size.width / width, 0, 0, size.height / height], { interpolator: resampling });
  const { data, info } = await resized.raw().toBuffer({ resolveWithObject: true });
  // sharp hands one channel back as three equal ones.
  return withChannels({ width: info.width, height: info.height, channels: info.channels as 1 | 3 | 4, data }, channels);
}

/** @throws E_LIMIT_ELEMENTS when no image of this size is made: one edge is zero or too long, or all is too much. */
export function checkModelSize({ width, height }: PixelSize): void {
  const fits = Math.min(width, height) >= 1 && Math.max(width, height) <= maxEdge && width * height <= maxModelPixels;
  if (fits) return;
  throw new OptimumError(
    'E_LIMIT_ELEMENTS',
    `The preprocessor asks for an image of ${width} × ${height} pixels; edges from 1 to ${maxEdge} and at most ${maxModelPixels} pixels are made.`,
    { hint: 'Check size, crop_size and pad_size of the preprocessor configuration.', context: { width, height } },
  );
}
