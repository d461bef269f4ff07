import { OptimumError, type TensorData } from '@optimum/core';
import type { ConfigReader } from '../images/config-reader.ts';
import { bounds, type FeatureExtractor, floatTensor, maskTensor } from './feature-extractor.ts';
import { melFilterBank } from './mel-filter-bank.ts';
import { melSpectrogram, type SpectrogramOptions } from './spectrogram.ts';
import { type WindowName, windowFunction } from './window.ts';

/** The least energy whose logarithm is taken: float32's distance from 1 to the next number. */
const leastEnergy = 2 ** -23;

/** Frames that SeamlessM4T takes as one. */
const stride = 2;

/**
 * Kaldi's filter bank features: frames of 25 ms every 10 ms at 16 kHz, without their mean, pre-emphasized.
 * @source Kaldi, feat/feature-fbank.cc and feature-window.cc, as torchaudio.compliance.kaldi.fbank
 */
function kaldiFilterBank(filters: number, samplingRate: number, window: WindowName): SpectrogramOptions {
  const range = { lowestHz: 20, highestHz: Math.floor(samplingRate / 2) };
  return {
    window: windowFunction(window, 400, 'symmetric'),
    hopLength: 160,
    transformLength: 512,
    bank: melFilterBank({ bins: 257, filters, ...range, samplingRate, scale: 'kaldi', triangles: 'mel' }),
    isCentered: false,
    removesOffset: true,
    preemphasis: 0.97,
    leastEnergy,
  };
}

/**
 * Audio Spectrogram Transformer: `input_values` as float32 [1, max_length, bins], the logarithms of the filter bank,
 * shifted by `mean` and divided by twice `std`. Short audio is filled up with frames of the value 2^-23 before that.
 * @source Y. Gong, Y.-A. Chung, J. Glass, "AST: Audio Spectrogram Transformer" (2021), section 2.1
 */
export function readSpectrogramTransformer(reader: ConfigReader): FeatureExtractor {
  const samplingRate = reader.integer('sampling_rate', { least: 100, most: bounds.samplingRate.most }) ?? 16_000;
  const filters = reader.integer('num_mel_bins', bounds.filters) ?? 128;
  const length = reader.integer('max_length', bounds.frames) ?? 1024;
  const mean = reader.number('mean') ?? -4.2677393;
  const deviation = reader.number('std', { least: 1e-9 }) ?? 4.5689974;
  const isNormalized = reader.boolean('do_normalize') ?? true;
  reader.integer('feature_size', { least: 1, most: 1 });
  const options = { ...kaldiFilterBank(filters, samplingRate, 'hann'), mostFrames: length };
  return {
    samplingRate,
    extract(samples) {
      const values = new Float32Array(length * filters).fill(leastEnergy);
      values.set(melSpectrogram(samples, options).map((energy) => Math.log(energy)));
      const input = isNormalized ? values.map((value) => (value - mean) / (deviation * 2)) : values;
      return { input_values: floatTensor(input, [1, length, filters]) };
    },
  };
}

/**
 * SeamlessM4T and Wav2Vec2-BERT: `input_features` as float32 [1, frames / stride, bins · stride], the logarithms of the
 * filter bank of samples as 16-bit integers, each bin at mean 0 and variance 1 over the frames; and `attention_mask` as
 * int64 [1, frames / stride]. An odd last frame is filled up with one of `padding_value`, and not attended to.
 * @source Seamless Communication, "SeamlessM4T" (2023), section 4.1: 80-dimensional filter banks, two frames stacked
 */
export function readSeamless(reader: ConfigReader): FeatureExtractor {
  const samplingRate = reader.integer('sampling_rate', { least: 100, most: bounds.samplingRate.most }) ?? 16_000;
  const filters = reader.integer('num_mel_bins', bounds.filters) ?? 80;
  reader.integer('stride', { least: stride, most: stride });
  const padding = reader.number('padding_value') ?? 0;
  reader.value('feature_size');
  const options = kaldiFilterBank(filters, samplingRate, 'povey');
  return {
    samplingRate,
    extract(samples) {
      const integers = samples.map((sample) => sample * 2 ** 15);
      const energies = melSpectrogram(integers, options);
      return stackedFrames(normalizedBins(energies, filters), filters, padding);
    },
  };
}

/** Logarithms, each filter at mean 0 and sample variance 1. */
function normalizedBins(energies: Float32Array, filters: number): Float32Array {
  const values = energies.map((energy) => Math.log(energy));
  const frames = values.length / filters;
  if (frames < 2)
    throw new OptimumError('E_DATA_INVALID', 'The audio has one frame; its variance needs two.', {
      hint: 'Leave the clip out.',
    });
  for (let filter = 0; filter < filters; filter++) {
    let sum = 0;
    for (let at = filter; at < values.length; at += filters) sum += values[at] as number;
    const mean = sum / frames;
    let squares = 0;
    for (let at = filter; at < values.length; at += filters) squares += ((values[at] as number) - mean) ** 2;
    const deviation = Math.sqrt(squares / (frames - 1) + 1e-7);
    for (let at = filter; at < values.length; at += filters) values[at] = ((values[at] as number) - mean) / deviation;
  }
  return values;
}

function stackedFrames(values: Float32Array, filters: number, padding: number): Record<string, TensorData> {
  const frames = values.length / filters;
  const stacks = Math.ceil(frames / stride);
  const features = new Float32Array(stacks * stride * filters).fill(padding);
  features.set(values);
  return {
    input_features: floatTensor(features, [1, stacks, stride * filters]),
    attention_mask: maskTensor(stacks, Math.floor(frames / stride)),
  };
}
