/** A decoded image: rows from the top, pixels from the left, channels interleaved (gray, RGB or RGBA), 0 to 255. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3 | 4;
  /** [height, width, channels] */
  readonly data: Uint8Array;
}

/** Width and height in pixels. */
export interface PixelSize {
  readonly width: number;
  readonly height: number;
}

/** The image with three channels: gray is repeated, opacity is dropped without blending, as transformers.js does. */
export function toRgb(image: RgbImage): RgbImage {
  if (image.channels === 3) return image;
  const data = new Uint8Array(image.width * image.height * 3);
  const last = image.channels === 1 ? 0 : 2;
  for (let from = 0, to = 0; to < data.length; from += image.channels, to += 3) {
    data[to] = image.data[from] as number;
    data[to + 1] = image.data[from + Math.min(1, last)] as number;
    data[to + 2] = image.data[from + last] as number;
  }
  return { ...image, channels: 3, data };
}

/**
 * The image with one channel. The weights are those of transformers.js, which sum to 0.9999: gray stays as it was, since
 * the loss is below half a level.
 * @source ITU-R BT.601-7, section 2.5.1 (luma 0.299 R + 0.587 G + 0.114 B)
 */
export function toGray(image: RgbImage): RgbImage {
  if (image.channels === 1) return image;
  const data = new Uint8Array(image.width * image.height);
  for (let from = 0, to = 0; to < data.length; from += image.channels, to++) {
    const red = image.data[from] as number;
    const green = image.data[from + 1] as number;
    const blue = image.data[from + 2] as number;
    data[to] = Math.round(0.2989 * red + 0.587 * green + 0.114 * blue);
  }
  return { ...image, channels: 1, data };
}

/** RGBA with full opacity. */
function toRgba(image: RgbImage): RgbImage {
  if (image.channels === 4) return image;
  const rgb = toRgb(image);
  const data = new Uint8Array(image.width * image.height * 4).fill(255);
  for (let from = 0, to = 0; from < rgb.data.length; from += 3, to += 4) {
    data.set(rgb.data.subarray(from, from + 3), to);
  }
  return { ...image, channels: 4, data };
}

export function withChannels(image: RgbImage, channels: RgbImage['channels']): RgbImage {
  if (channels === 1) return toGray(image);
  return channels === 3 ? toRgb(image) : toRgba(image);
}

/**
 * The window of this size around the center; what lies outside of the image is black (and opaque). Where the margins
 * cannot be equal, the window is nearer to the top left, and the padding smaller there.
 */
export function centerCrop(image: RgbImage, { width, height }: PixelSize): RgbImage {
  if (image.width === width && image.height === height) return image;
  const { channels } = image;
  const left = Math.trunc((image.width - width) / 2);
  const top = Math.trunc((image.height - height) / 2);
  const data = channels === 4 ? opaqueBlack(width * height) : new Uint8Array(width * height * channels);
  const [firstColumn, lastColumn] = [Math.max(0, left), Math.min(image.width, left + width)];
  for (let row = Math.max(0, top); row < Math.min(image.height, top + height); row++) {
    const from = (row * image.width + firstColumn) * channels;
    const pixels = image.data.subarray(from, from + (lastColumn - firstColumn) * channels);
    data.set(pixels, ((row - top) * width + firstColumn - left) * channels);
  }
  return { width, height, channels, data };
}

function opaqueBlack(pixels: number): Uint8Array {
  const data = new Uint8Array(pixels * 4);
  for (let alpha = 3; alpha < data.length; alpha += 4) data[alpha] = 255;
  return data;
}
