import type { ConfigReader } from '../images/config-reader.ts';
import { bounds, type FeatureExtractor, floatTensor } from './feature-extractor.ts';
import { filterBank, type MelFilterBank, melFilterBank } from './mel-filter-bank.ts';
import { melSpectrogram } from './spectrogram.ts';
import { windowFunction } from './window.ts';

/** Below this energy all is silence. */
const leastEnergy = 1e-10;

/**
 * Whisper: `input_features` as float32 [1, filters, frames], the log-mel spectrogram of exactly 30 seconds (longer audio
 * is cut, shorter is filled up with silence), at most 80 dB below its peak and scaled to about −1 … 1.
 * @source A. Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision" (2022), section 2.2;
 *   openai/whisper, audio.py, log_mel_spectrogram
 */
export function readWhisper(reader: ConfigReader): FeatureExtractor {
  const filters = reader.integer('feature_size', bounds.filters) ?? 80;
  const samplingRate = reader.integer('sampling_rate', bounds.samplingRate) ?? 16_000;
  const hopLength = reader.integer('hop_length', bounds.hop) ?? 160;
  const frameLength = reader.integer('n_fft', bounds.transform) ?? 400;
  const seconds = reader.integer('chunk_length', { least: 1, most: 3600 }) ?? 30;
  const length = reader.integer('n_samples', bounds.samples) ?? seconds * samplingRate;
  const mostFrames = reader.integer('nb_max_frames', bounds.frames) ?? Math.floor(length / hopLength);
  const bins = Math.floor(frameLength / 2) + 1;
  const mel = { bins, filters, lowestHz: 0, highestHz: 8000, samplingRate };
  const bank = readFilters(reader, bins) ?? melFilterBank({ ...mel, scale: 'slaney', norm: 'slaney' });
  const options = {
    window: windowFunction('hann', frameLength, 'periodic'),
    hopLength,
    transformLength: frameLength,
    bank,
    isCentered: true,
    leastEnergy,
    mostFrames: Math.min(Math.floor(length / hopLength), mostFrames),
  };
  return {
    samplingRate,
    extract(samples) {
      const padded = new Float32Array(length);
      padded.set(samples.subarray(0, length));
      const energies = melSpectrogram(padded, options);
      const frames = energies.length / bank.filters;
      const features = transpose(normalizedLog(energies), frames, bank.filters);
      return { input_features: floatTensor(features, [1, bank.filters, frames]) };
    },
  };
}

/** The filter bank that older configurations carry, as rows of weights. */
function readFilters(reader: ConfigReader, bins: number): MelFilterBank | undefined {
  const rows = reader.value('mel_filters');
  if (rows === undefined) return undefined;
  const isBank =
    Array.isArray(rows) &&
    rows.length >= 1 &&
    rows.every((row) => Array.isArray(row) && row.length === bins && row.every(Number.isFinite));
  if (isBank) return filterBank(rows.length, bins, Float32Array.from((rows as number[][]).flat()));
  reader.problem(`"mel_filters" must be rows of ${bins} numbers, which is half of "n_fft" plus one`);
  return undefined;
}

function normalizedLog(energies: Float32Array): Float32Array {
  const logarithms = energies.map((energy) => Math.log10(energy));
  const least = logarithms.reduce((most, value) => Math.max(most, value), -Infinity) - 8;
  return logarithms.map((value) => (Math.max(value, least) + 4) / 4);
}

function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      turned[column * rows + row] = values[row * columns + column] as number;
  }
  return turned;
}
