export { decodeImage, maxImagePixels } from './decode-image.ts';
export { type ImageProcessor, openImageProcessor } from './open-image-processor.ts';
export type { RgbImage } from './rgb-image.ts';
