import { readFile } from 'node:fs/promises';
import { OptimumError, quote } from '@optimum/core';
import { loadSharp, type Sharp } from './load-sharp.ts';
import { type RgbImage, withChannels } from './rgb-image.ts';

/** 67 million pixels: 200 MB once decoded. A file of a few kilobytes may claim any size. */
export const maxImagePixels = 2 ** 26;

/** Pixel formats only: SVG and PDF are programs that draw, and have no size of their own. */
const formats: ReadonlySet<string> = new Set(['jpeg', 'png', 'webp', 'gif', 'tiff', 'heif']);

/**
 * Reads a JPEG, PNG, WebP, GIF, TIFF or AVIF image (the first frame of an animation), turned upright as its EXIF entry
 * says. Gray stays one channel and opacity stays a fourth; 16-bit and CMYK become 8-bit RGB. sharp decodes, strictly:
 * a file that ends early is an error and not a half-gray image.
 * @param source path of a file, or its bytes
 * @param name what messages call it; the path if it is one
 * @throws E_IO when the file cannot be read, E_DATA_INVALID when it is no image or damaged, E_LIMIT_ELEMENTS past
 *   `maxImagePixels`, E_UNSUPPORTED_FEATURE when sharp is not installed
 */
export async function decodeImage(source: string | Uint8Array, name?: string): Promise<RgbImage> {
  const shown = quote(name ?? (typeof source === 'string' ? source : 'image in memory'), 300);
  const sharp = await loadSharp();
  const bytes = typeof source === 'string' ? await readImageFile(source) : source;
  if (bytes.length === 0) throw damaged(shown, 'it is empty');
  const channels = await readHeader(sharp, bytes, shown);
  // Strict, since that is sharp's default.
  const { data, info } = await sharp(bytes)
    .rotate()
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch((cause: unknown) => {
      throw damaged(shown, messageOf(cause), cause);
    });
  const decoded = info.channels as number;
  if (decoded !== 1 && decoded !== 3 && decoded !== 4) throw damaged(shown, `it has ${decoded} channels`);
  return withChannels({ width: info.width, height: info.height, channels: decoded, data }, channels);
}

async function readImageFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new OptimumError('E_IO', `Cannot read the image ${quote(path, 300)}: ${messageOf(cause)}.`, {
      context: { path },
      cause,
    });
  }
}

/** Channels that the image has, after a look at its header: format and size are what they may be. */
async function readHeader(sharp: Sharp, bytes: Uint8Array, shown: string): Promise<RgbImage['channels']> {
  const header = await sharp(bytes)
    .metadata()
    .catch((cause: unknown) => {
      throw damaged(shown, messageOf(cause), cause);
    });
  if (!formats.has(header.format)) throw damaged(shown, `its format is ${header.format}`);
  if (header.width * header.height > maxImagePixels)
    throw new OptimumError(
      'E_LIMIT_ELEMENTS',
      `The image ${shown} has ${header.width} × ${header.height} pixels; at most ${maxImagePixels} are read.`,
      { hint: 'Make it smaller first: models see a few hundred pixels each way.', context: { limit: maxImagePixels } },
    );
  // Gray with opacity becomes RGBA, because models know no such layout.
  if (header.channels === 1) return 1;
  return header.channels === 3 ? 3 : 4;
}

function damaged(shown: string, reason: string, cause?: unknown): OptimumError {
  return new OptimumError('E_DATA_INVALID', `The image ${shown} cannot be decoded: ${reason}.`, {
    hint: 'Open it in a viewer; JPEG, PNG, WebP, GIF, TIFF and AVIF are read. Replace or remove the file.',
    context: { file: shown },
    cause,
  });
}

const messageOf = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : String(cause)).trim().replace(/\.$/, '').replaceAll('\n', '; ');
