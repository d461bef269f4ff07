import type { ImageOptions } from './image-options.ts';
import type { PixelSize } from './rgb-image.ts';

/**
 * What an image is resized to, as `size` of a preprocessor configuration says:
 * - `exact`: these edges, whatever the aspect ratio was
 * - `edges`: the aspect ratio is kept; the longer edge becomes `longest` where that is given, else the shorter one `shortest`
 * - `one-edge`: the aspect ratio is kept; this edge becomes so long
 * - `divisible`: the image's own size, down to multiples of `sizeDivisor`
 */
export type TargetSize =
  | { readonly kind: 'exact'; readonly width: number; readonly height: number }
  | { readonly kind: 'edges'; readonly shortest: number | undefined; readonly longest: number | undefined }
  | { readonly kind: 'one-edge'; readonly edge: 'width' | 'height'; readonly length: number }
  | { readonly kind: 'divisible' };

/** The size in pixels that an image of size `from` is resized to. */
export function resizeSize(from: PixelSize, target: TargetSize, options: ImageOptions): PixelSize {
  switch (target.kind) {
    case 'exact':
      return options.multipleOf === undefined ? target : nearestMultiples(from, target, options.multipleOf);
    case 'edges':
      return downToMultiples(betweenEdges(from, target), options.sizeDivisor);
    case 'one-edge': {
      const factor = target.length / from[target.edge];
      const scaled = (edge: 'width' | 'height') =>
        edge === target.edge ? target.length : Math.max(1, Math.round(from[edge] * factor));
      return { width: scaled('width'), height: scaled('height') };
    }
    case 'divisible':
      return downToMultiples(from, options.sizeDivisor);
  }
}

/**
 * Two steps, as transformers.js takes them, since their rounding shows: the shorter edge is brought to `shortest`, then
 * the longer one to `longest`, up or down. Fractions are rounded at the second decimal, then dropped. (In Python
 * `longest` is only a ceiling: there 640 × 480 with 800 and 1333 becomes 1066 × 800, here 1333 × 1000.)
 * @source huggingface/transformers.js 4.3.1, image_processors_utils.js, get_resize_output_image_size
 */
function betweenEdges(
  from: PixelSize,
  { shortest, longest }: { shortest: number | undefined; longest: number | undefined },
) {
  const first = shortest === undefined ? 1 : Math.max(shortest / from.width, shortest / from.height);
  const [width, height] = [from.width * first, from.height * first];
  const second = longest === undefined ? 1 : Math.min(longest / width, longest / height);
  const whole = (length: number) => Math.floor(Number(length.toFixed(2)));
  return { width: whole(width * second), height: whole(height * second) };
}

function downToMultiples({ width, height }: PixelSize, divisor: number | undefined): PixelSize {
  if (divisor === undefined) return { width, height };
  const down = (length: number) => Math.max(Math.floor(length / divisor), 1) * divisor;
  return { width: down(width), height: down(height) };
}

/**
 * The size nearest to `target` that keeps the aspect ratio, scaled as little as possible, each edge rounded to a multiple.
 * @source huggingface/transformers, models/dpt/image_processing_dpt.py, get_resize_output_image_size
 */
function nearestMultiples(from: PixelSize, target: PixelSize, multiple: number): PixelSize {
  const [byWidth, byHeight] = [target.width / from.width, target.height / from.height];
  const factor = Math.abs(1 - byWidth) < Math.abs(1 - byHeight) ? byWidth : byHeight;
  const nearest = (length: number) => roundHalfToEven((factor * length) / multiple) * multiple;
  return { width: nearest(from.width), height: nearest(from.height) };
}

function roundHalfToEven(value: number): number {
  const rounded = Math.round(value);
  return value % 1 === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** The size of a thumbnail: no edge longer than in `within`, never larger than the image. */
export function thumbnailSize(from: PixelSize, within: PixelSize): PixelSize {
  const width = Math.min(from.width, within.width);
  const height = Math.min(from.height, within.height);
  if (width === from.width && height === from.height) return { width, height };
  if (from.height > from.width) return { width: Math.floor((from.width * height) / from.height), height };
  if (from.width > from.height) return { width, height: Math.floor((from.height * width) / from.width) };
  return { width, height };
}
