import type { ConfigReader } from '../images/config-reader.ts';
import { bounds, type FeatureExtractor, floatTensor, maskTensor } from './feature-extractor.ts';

/**
 * Wav2Vec2, HuBERT, WavLM, UniSpeech: `input_values` as float32 [1, samples], brought to mean 0 and variance 1 when
 * `do_normalize` is set, and `attention_mask` as int64 [1, samples], all ones: nothing is padded. Models without that
 * input do not need it.
 * @source A. Baevski et al., "wav2vec 2.0" (2020), section 2: raw audio at zero mean and unit variance
 */
export function readWav2Vec2(reader: ConfigReader): FeatureExtractor {
  const samplingRate = reader.integer('sampling_rate', bounds.samplingRate) ?? 16_000;
  const isNormalized = reader.boolean('do_normalize') ?? false;
  reader.integer('feature_size', { least: 1, most: 1 });
  return {
    samplingRate,
    extract: (samples) => ({
      input_values: floatTensor(isNormalized ? normalized(samples) : samples, [1, samples.length]),
      attention_mask: maskTensor(samples.length),
    }),
  };
}

function normalized(samples: Float32Array): Float32Array {
  const mean = samples.reduce((sum, value) => sum + value, 0) / samples.length;
  const variance = samples.reduce((sum, value) => sum + (value - mean) ** 2, 0) / samples.length;
  // The small number keeps silence finite.
  const deviation = Math.sqrt(variance + 1e-7);
  return samples.map((value) => (value - mean) / deviation);
}

/** Moonshine: `input_values` as float32 [1, samples], the samples themselves. */
export function readMoonshine(reader: ConfigReader): FeatureExtractor {
  const samplingRate = reader.integer('sampling_rate', bounds.samplingRate) ?? 16_000;
  reader.integer('feature_size', { least: 1, most: 1 });
  if (reader.boolean('do_normalize')) reader.unsupported('do_normalize', true);
  return { samplingRate, extract: (samples) => ({ input_values: floatTensor(samples, [1, samples.length]) }) };
}
