import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { OptimumError, type TensorData } from '@optimum/core';
import { type AudioProcessor, decodeWav, openAudioProcessor } from '../audio/index.ts';
import { dataError, type Place, shown } from '../data-error.ts';
import { resolveContained } from '../files/contained-path.ts';
import { readObject, readWhole } from '../files/read-json.ts';
import { decodeImage, type ImageProcessor, openImageProcessor, type RgbImage } from '../images/index.ts';
import { isBytesStruct } from '../rows/known-columns.ts';
import { DataFile, DataTensor } from '../rows/row.ts';
import { valuesOf } from './element-values.ts';
import type { ModelFiles } from './model-files.ts';

/** Makes inputs of a model of one value of the data. */
export type MakeTensors = (value: unknown, place: Place) => Promise<Readonly<Record<string, TensorData>>>;

const configNames = ['preprocessor_config.json', 'processor_config.json'] as const;

/**
 * Images by the model folder's own preprocessing: paths relative to `folder`, encoded bytes, or levels from 0 to 255 as
 * uint8 [height, width], [height, width, channels] or [channels, height, width].
 * @throws E_DATA_INVALID when the model folder says nothing about it, and what openImageProcessor throws
 */
export function openImages(files: ModelFiles, folder: string): MakeTensors {
  const { config, path } = preprocessing(files, 'images', 'image_processor');
  const processor: ImageProcessor = openImageProcessor(config, path);
  return async (value, place) => processor.process(await toImage(value, folder, place));
}

/**
 * Audio by the model folder's own preprocessing: paths of WAV files relative to `folder`, their bytes, or samples as
 * floats [samples] at the rate that the model wants.
 * @throws E_DATA_INVALID when the model folder says nothing about it, and what openAudioProcessor throws
 */
export function openAudio(files: ModelFiles, folder: string): MakeTensors {
  const { config, path } = preprocessing(files, 'audio', 'feature_extractor');
  const processor: AudioProcessor = openAudioProcessor(config, path);
  return async (value, place) => processor.process(await toSamples(value, folder, place, processor.samplingRate));
}

/** Newer folders have one file for all processors, with a part for each. */
function preprocessing(
  { folder, preprocessor }: ModelFiles,
  what: string,
  part: 'image_processor' | 'feature_extractor',
) {
  const usual = configNames.map((name) => join(folder, name)).find((candidate) => existsSync(candidate));
  const path = preprocessor ?? usual;
  if (path === undefined)
    throw new OptimumError('E_DATA_INVALID', `The data are ${what}, but ${folder} has no ${configNames[0]}.`, {
      hint: 'Download it, write one, or give the inputs as tensors (safetensors).',
    });
  const settings = readObject(path);
  return { config: settings[part] ?? settings, path };
}

async function toImage(value: unknown, folder: string, place: Place): Promise<RgbImage> {
  const source = fileOf(value, folder, place);
  if (source !== undefined) return decodeImage(source, place.text);
  const image = value instanceof DataTensor ? imageOfLevels(value.tensor) : undefined;
  if (image) return image;
  throw dataError(place, `${describe(value)} is no image`, {
    hint: 'Expected a path, the bytes of a file, or uint8 of [height, width] or [height, width, channels].',
  });
}

function imageOfLevels({ elementType, dims, bytes }: TensorData): RgbImage | undefined {
  if (elementType !== 'uint8') return undefined;
  const [first, second, third] = dims;
  if (first === undefined || second === undefined || dims.length > 3) return undefined;
  if (third === undefined) return { height: first, width: second, channels: 1, data: bytes };
  if (isChannels(third)) return { height: first, width: second, channels: third, data: bytes };
  if (!isChannels(first)) return undefined;
  return { height: second, width: third, channels: first, data: interleaved(bytes, first) };
}

const isChannels = (count: number): count is RgbImage['channels'] => [1, 3, 4].includes(count);

/** Planes as pixels: [channels, height, width] to [height, width, channels]. */
function interleaved(planes: Uint8Array, channels: number): Uint8Array {
  const area = planes.length / channels;
  return Uint8Array.from(planes, (_, at) => planes[(at % channels) * area + Math.floor(at / channels)] as number);
}

async function toSamples(value: unknown, folder: string, place: Place, samplingRate: number): Promise<Float32Array> {
  const source = fileOf(value, folder, place);
  if (source !== undefined)
    return decodeWav(typeof source === 'string' ? readWhole(source) : source, samplingRate, place.text);
  const tensor = value instanceof DataTensor ? value.tensor : undefined;
  if (tensor?.elementType === 'float32' && tensor.dims.length === 1) return valuesOf(tensor) as Float32Array;
  throw dataError(place, `${describe(value)} is no audio`, {
    hint: 'Expected the path of a WAV file, its bytes, or samples as float32 of one axis.',
  });
}

/** A path or bytes, or `undefined` when the value is neither. */
function fileOf(value: unknown, folder: string, place: Place): string | Uint8Array | undefined {
  if (typeof value === 'string') return resolveContained(folder, value, place);
  if (value instanceof DataFile) return value.path;
  if (isBytesStruct(value)) return value.bytes;
  return value instanceof Uint8Array ? value : undefined;
}

const describe = (value: unknown): string =>
  value instanceof DataTensor ? `${value.tensor.elementType} of [${value.tensor.dims.join(', ')}]` : shown(value);
