import { OptimumError, quote, type TensorData } from '@optimum/core';
import { ConfigReader } from '../images/config-reader.ts';
import type { FeatureExtractor } from './feature-extractor.ts';
import { readSeamless, readSpectrogramTransformer } from './filter-bank-features.ts';
import { readMoonshine, readWav2Vec2 } from './wav2vec2-features.ts';
import { readWhisper } from './whisper-features.ts';

/** Turns audio into inputs of a model. It keeps nothing between clips. */
export interface AudioProcessor {
  /** The rate in Hertz that the samples must have: what `decodeWav` is to be asked for. */
  readonly samplingRate: number;
  /**
   * Inputs of the model by name, of a batch of one: `input_features` or `input_values`, and `attention_mask` where the
   * family has one, whether or not this model takes it.
   * @param samples one channel, −1 … 1
   * @throws E_DATA_INVALID when there are none, too few for one frame, or NaN or infinity among them; E_LIMIT_ELEMENTS
   *   when the result would be too large
   */
  process(samples: Float32Array): Promise<Record<string, TensorData>>;
}

const extractors = new Map<unknown, (reader: ConfigReader) => FeatureExtractor>([
  ['ASTFeatureExtractor', readSpectrogramTransformer],
  ['MoonshineFeatureExtractor', readMoonshine],
  ['SeamlessM4TFeatureExtractor', readSeamless],
  ['Wav2Vec2FeatureExtractor', readWav2Vec2],
  ['WhisperFeatureExtractor', readWhisper],
]);

/** Says nothing about a single clip: names, and how several are padded to one length. */
const withoutEffect = [
  ...['processor_class', '_processor_class', 'transformers_version', 'return_attention_mask', 'padding_side'],
  ...['padding_value', 'model_input_names', '_valid_processor_keys', 'auto_map', 'return_tensors'],
];

/**
 * The processor that a `preprocessor_config.json` describes, as `@huggingface/transformers` 4.3.1 applies it. Waveforms
 * (Wav2Vec2, Moonshine) agree in every bit, Whisper and AST within 2^-22 (2.4e-7). SeamlessM4T agrees within 1e-5, but
 * where a sound never changes it divides by next to nothing, and the last bit of a logarithm becomes up to 6e-3.
 * @param config the parsed file
 * @param name what messages call it
 * @throws E_CONFIG_SCHEMA for wrong values, E_UNSUPPORTED_FEATURE for extractors and options that are not known
 */
export function openAudioProcessor(config: unknown, name = 'preprocessor_config.json'): AudioProcessor {
  const reader = new ConfigReader(config, name);
  const type = reader.value('feature_extractor_type');
  const read = extractors.get(type);
  if (!read) throw unknownType(type, reader.name);
  const extractor = read(reader);
  // Random noise that Python adds before the transform: 0 asks for nothing.
  if ((reader.number('dither') ?? 0) !== 0) reader.unsupported('dither', reader.value('dither'));
  reader.skip(withoutEffect);
  reader.finish();
  return {
    samplingRate: extractor.samplingRate,
    process: async (samples) => {
      checkSamples(samples);
      return extractor.extract(samples);
    },
  };
}

function unknownType(type: unknown, name: string): OptimumError {
  const known = [...extractors.keys()].join(', ');
  const found = typeof type === 'string' ? `is ${quote(type)}` : 'is missing';
  return new OptimumError('E_UNSUPPORTED_FEATURE', `${name}: "feature_extractor_type" ${found}; known are ${known}.`, {
    hint: 'Make the inputs elsewhere and give them as tensors (safetensors).',
    context: { file: name, type },
  });
}

function checkSamples(samples: Float32Array): void {
  if (samples.length === 0) throw new OptimumError('E_DATA_INVALID', 'The audio has no samples.');
  const bad = samples.findIndex((sample) => !Number.isFinite(sample));
  if (bad < 0) return;
  throw new OptimumError('E_DATA_INVALID', `Sample ${bad} of the audio is ${samples[bad]}, and not a finite number.`, {
    hint: 'Decode the file again, or leave the clip out.',
    context: { sample: bad },
  });
}
