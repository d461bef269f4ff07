import { ConfigReader } from './config-reader.ts';
import { type ProcessorTraits, processorTraits } from './processor-types.ts';
import { edgeBounds as edge, readFixedSize, readSize } from './read-size.ts';
import type { Resampling } from './resize-image.ts';
import type { TargetSize } from './resize-size.ts';
import type { PixelSize } from './rgb-image.ts';

/** What is done to an image, in the order in which it is done: a checked `preprocessor_config.json`. */
export interface ImageOptions {
  readonly convert: 'rgb' | 'gray' | undefined;
  readonly resize: TargetSize | undefined;
  readonly resampling: Resampling;
  /** Edges are made multiples of it: down when resized, up when padded. */
  readonly sizeDivisor: number | undefined;
  /** DPT: keep the aspect ratio and round each edge to a multiple of it. */
  readonly multipleOf: number | undefined;
  readonly thumbnail: PixelSize | undefined;
  readonly centerCrop: PixelSize | undefined;
  /** Every 8-bit level is multiplied by it. */
  readonly rescale: number | undefined;
  /** Subtracted and divided after that; a number holds for all channels. */
  readonly normalize: Normalization | undefined;
  readonly pad: Padding | undefined;
  readonly flipChannels: boolean;
  readonly pixelMask: boolean;
  /** Where the options are applied otherwise than one would read them, one sentence each. */
  readonly notes: readonly string[];
}

export interface Normalization {
  readonly mean: number | readonly number[];
  readonly deviation: number | readonly number[];
}

export interface Padding {
  /** `multiple`: up to multiples of it. */
  readonly to: PixelSize | { readonly multiple: number };
  /** Zeros to the right and below; what black pixels become, around the image; or the image mirrored. */
  readonly with: 'zeros' | 'black-around' | 'mirrored';
}

/** Says nothing about the pixels of one image: names, and what concerns labels, batches or where Python computes. */
const withoutEffect = [
  ...['_name_or_path', '_valid_processor_keys', 'processor_class', 'auto_map', 'transformers_version'],
  ...['return_tensors', 'device', 'disable_grouping', 'input_data_format', 'data_format', 'default_to_square'],
  ...['do_reduce_labels', 'reduce_labels', 'num_labels', 'id2label', 'model_input_names', 'image_seq_length'],
];

/** By the number that Pillow gives it, or by name. */
const resamplings: readonly string[] = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'];

/**
 * Checks a preprocessor configuration. The schema is that of Hugging Face's `preprocessor_config.json`, with one more:
 * `size` may give only `height` or only `width`, and the other edge follows the aspect ratio (rounded to the nearest).
 * @throws E_CONFIG_SCHEMA, E_UNSUPPORTED_FEATURE, naming the keys
 */
export function readImageOptions(config: unknown, name: string): ImageOptions {
  const reader = new ConfigReader(config, name);
  const type = reader.value('image_processor_type', 'feature_extractor_type');
  const traits = processorTraits(type);
  if (!traits) reader.unsupported('image_processor_type', type);
  if (reader.value('data_format') === 'channels_last') reader.unsupported('data_format', 'channels_last');
  const options = readOptions(reader, traits ?? {});
  reader.skip(withoutEffect);
  reader.finish();
  return options;
}

function readOptions(reader: ConfigReader, traits: ProcessorTraits): ImageOptions {
  const notes: string[] = [];
  const size = readSize(reader, notes);
  const sizeDivisor = reader.integer('size_divisor', edge) ?? reader.integer('size_divisibility', edge);
  return {
    convert: readConversion(reader),
    resampling: readResampling(reader, notes),
    sizeDivisor,
    multipleOf: readMultiple(reader),
    ...readGeometry(reader, traits, size, sizeDivisor),
    ...readLevels(reader, traits),
    pad: readPadding(reader, traits, size, sizeDivisor),
    flipChannels: reader.boolean('do_flip_channel_order') ?? false,
    pixelMask: traits.hasPixelMask ?? false,
    notes,
  };
}

function readConversion(reader: ConfigReader): ImageOptions['convert'] {
  const isGray = reader.boolean('do_convert_grayscale') ?? false;
  const isRgb = reader.boolean('do_convert_rgb') ?? !isGray;
  if (isGray && isRgb) reader.problem('"do_convert_rgb" and "do_convert_grayscale" cannot both be true');
  if (isRgb) return 'rgb';
  return isGray ? 'gray' : undefined;
}

function readResampling(reader: ConfigReader, notes: string[]): Resampling {
  const value = reader.value('resample') ?? 'bilinear';
  const name = typeof value === 'number' ? resamplings[value] : value;
  if (typeof name !== 'string' || !resamplings.includes(name)) {
    reader.problem(`"resample" must be 0 to 5 or one of ${resamplings.join(', ')}`);
    return 'bilinear';
  }
  if (name !== 'box' && name !== 'hamming') return name as Resampling;
  notes.push(`"resample" ${name} is done as bilinear, as in transformers.js.`);
  return 'bilinear';
}

function readMultiple(reader: ConfigReader): number | undefined {
  const multiple = reader.integer('ensure_multiple_of', edge);
  return (reader.boolean('keep_aspect_ratio') ?? false) ? multiple : undefined;
}

type Geometry = Pick<ImageOptions, 'resize' | 'thumbnail' | 'centerCrop'>;

function readGeometry(
  reader: ConfigReader,
  traits: ProcessorTraits,
  size: TargetSize | undefined,
  sizeDivisor: number | undefined,
): Geometry {
  const isResized = reader.boolean('do_resize') ?? size !== undefined;
  const target = size ?? (sizeDivisor === undefined ? undefined : { kind: 'divisible' as const });
  if (isResized && !target) reader.problem('"do_resize" is true, but there is no "size"');
  const resize = isResized ? target : undefined;
  const centerCrop = readCrop(reader);
  const isThumbnail = reader.boolean('do_thumbnail') ?? false;
  const percentage = reader.number('crop_pct', { least: 0.01, most: 1 });
  if (isThumbnail) return { ...thumbnail(reader, resize), centerCrop };
  if (traits.cropsByPercentage && resize) return cropByPercentage(reader, resize, percentage, centerCrop);
  if (percentage !== undefined && !traits.cropsByPercentage) reader.unsupported('crop_pct', percentage);
  return { resize, thumbnail: undefined, centerCrop };
}

/** Donut: the shorter edge first becomes that of `size`, then the whole must fit into it. */
function thumbnail(reader: ConfigReader, resize: TargetSize | undefined): Pick<Geometry, 'resize' | 'thumbnail'> {
  if (resize?.kind !== 'exact') {
    reader.problem('"do_thumbnail" needs "do_resize" and a "size" with height and width');
    return { resize, thumbnail: undefined };
  }
  const shortest = Math.min(resize.width, resize.height);
  return { resize: { kind: 'edges', shortest, longest: undefined }, thumbnail: resize };
}

/**
 * @source "A ConvNet for the 2020s" (arXiv:2201.03545), evaluation: crop ratio 0.875 below 384 pixels, none above
 */
function cropByPercentage(
  reader: ConfigReader,
  resize: TargetSize,
  percentage = 224 / 256,
  centerCrop: PixelSize | undefined,
): Geometry {
  if (centerCrop) reader.problem('"do_center_crop" has no place in a ConvNeXT processor, which crops by "crop_pct"');
  if (resize.kind !== 'edges' || resize.shortest === undefined) {
    reader.problem('"size" of a ConvNeXT processor needs "shortest_edge"');
    return { resize, thumbnail: undefined, centerCrop };
  }
  const square = { width: resize.shortest, height: resize.shortest };
  if (resize.shortest >= 384) return { resize: { kind: 'exact', ...square }, thumbnail: undefined, centerCrop };
  const shortest = Math.floor(resize.shortest / percentage);
  return { resize: { kind: 'edges', shortest, longest: undefined }, thumbnail: undefined, centerCrop: square };
}

function readCrop(reader: ConfigReader): PixelSize | undefined {
  const size = readFixedSize(reader, 'crop_size');
  if (!reader.boolean('do_center_crop')) return undefined;
  if (!size) reader.problem('"do_center_crop" is true, but there is no "crop_size"');
  return size;
}

function readLevels(reader: ConfigReader, traits: ProcessorTraits): Pick<ImageOptions, 'rescale' | 'normalize'> {
  const factor = reader.number('rescale_factor', { least: 1e-9, most: 1e9 }) ?? 1 / 255;
  const rescale = (reader.boolean('do_rescale') ?? true) ? factor : undefined;
  const mean = reader.numbers(['image_mean', 'mean'], (value) => Math.abs(value) <= 1e9, 'numbers');
  const deviation = reader.numbers(
    ['image_std', 'std'],
    (value) => value >= 1e-9 && value <= 1e9,
    'numbers above zero',
  );
  const isSquared = (reader.boolean('include_top') ?? true) && traits.squaresDeviation === true;
  if (!reader.boolean('do_normalize')) return { rescale, normalize: undefined };
  if (mean === undefined || deviation === undefined) {
    reader.problem('"do_normalize" is true, but "image_mean" or "image_std" is missing');
    return { rescale, normalize: undefined };
  }
  return { rescale, normalize: { mean, deviation: isSquared ? squared(deviation) : deviation } };
}

const squared = (values: number | readonly number[]): number | readonly number[] =>
  typeof values === 'number' ? values * values : values.map((value) => value * value);

function readPadding(
  reader: ConfigReader,
  traits: ProcessorTraits,
  size: TargetSize | undefined,
  sizeDivisor: number | undefined,
): Padding | undefined {
  const fixed = readFixedSize(reader, 'pad_size');
  if (!reader.boolean('do_pad')) return undefined;
  const multiple = traits.padding === 'mirrored' ? (fixed?.width ?? sizeDivisor) : sizeDivisor;
  if (traits.padding === 'mirrored') return multiple === undefined ? undefined : { to: { multiple }, with: 'mirrored' };
  const content = traits.padding ?? 'zeros';
  if (fixed) return { to: fixed, with: content };
  if (multiple !== undefined) return { to: { multiple }, with: content };
  // Without a size, images of a batch are padded to the largest of them: one alone stays as it is.
  return size?.kind === 'exact' ? { to: size, with: content } : undefined;
}
