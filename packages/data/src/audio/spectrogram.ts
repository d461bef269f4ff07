import { OptimumError } from '@optimum/core';
import { mirror } from '../images/mirror.ts';
import { FourierTransform } from './fourier-transform.ts';
import type { MelFilterBank } from './mel-filter-bank.ts';

export interface SpectrogramOptions {
  /** Its length is that of a frame. */
  readonly window: Float64Array;
  /** Samples from one frame to the next. */
  readonly hopLength: number;
  /** Frames are filled up with zeros to this length, from which the bank's bins follow. */
  readonly transformLength: number;
  readonly bank: MelFilterBank;
  /** Frames are centered at multiples of the hop, and the signal is mirrored at its ends; else they begin there. */
  readonly isCentered: boolean;
  /** Of each frame the mean is subtracted. */
  readonly removesOffset?: boolean;
  /** Then from every sample this share of the one before it (its own for the first). */
  readonly preemphasis?: number;
  /** Lower energies become this one. */
  readonly leastEnergy: number;
  /** Later frames are left out. */
  readonly mostFrames?: number | undefined;
}

/** Steps that a spectrogram may take, as frames times their length: 268 million, which are some ten seconds. */
const maxWork = 2 ** 28;

/**
 * Mel energies of a signal: the power spectrum of windowed frames, summed by a filter bank. Powers, weights and energies
 * are rounded to float32, as in transformers.js; sums are taken in double precision.
 * @returns [frames, filters]
 * @source J. B. Allen, "Short term spectral analysis, synthesis, and modification by discrete Fourier transform" (1977)
 * @throws E_DATA_INVALID when the signal is shorter than one frame, E_LIMIT_ELEMENTS when it has too many
 */
export function melSpectrogram(samples: Float32Array, options: SpectrogramOptions): Float32Array {
  const frames = frameCount(samples.length, options);
  const { bank, leastEnergy } = options;
  const transform = new FourierTransform(options.transformLength);
  const signal = new Float64Array(options.transformLength);
  const powers = new Float32Array(bank.bins);
  const energies = new Float32Array(frames * bank.filters).fill(leastEnergy);
  for (let frame = 0; frame < frames; frame++) {
    // Silence, as after the end of a short clip, has no energy: nothing to compute.
    if (!takeFrame(samples, frame, options, signal)) continue;
    transform.transform(signal);
    powerSpectrum(transform, powers);
    sumEnergies(powers, bank, leastEnergy, energies.subarray(frame * bank.filters, (frame + 1) * bank.filters));
  }
  return energies;
}

function frameCount(
  length: number,
  { window, hopLength, isCentered, mostFrames, transformLength }: SpectrogramOptions,
) {
  const padded = length + (isCentered ? 2 * Math.floor(window.length / 2) : 0);
  const whole = 1 + Math.floor((padded - window.length) / hopLength);
  const frames = Math.min(whole, mostFrames ?? whole);
  if (length < 1 || whole < 1)
    throw new OptimumError(
      'E_DATA_INVALID',
      `The audio has ${length} samples, but one frame takes ${window.length}: it is too short.`,
      { hint: 'Leave the clip out.', context: { samples: length, frameLength: window.length } },
    );
  if (frames * transformLength > maxWork)
    throw new OptimumError('E_LIMIT_ELEMENTS', `The spectrogram would have ${frames} frames of ${transformLength}.`, {
      hint: 'Cut the audio into shorter clips, or check the hop length of the preprocessor configuration.',
      context: { frames, transformLength },
    });
  return frames;
}

/** Fills `signal` with a frame as it is transformed; false when all of it is zero. */
function takeFrame(samples: Float32Array, frame: number, options: SpectrogramOptions, signal: Float64Array): boolean {
  const { window, isCentered, preemphasis } = options;
  const length = window.length;
  const first = frame * options.hopLength - (isCentered ? Math.floor(length / 2) : 0);
  let isSound = false;
  for (let index = 0; index < length; index++) {
    const sample = samples[mirror(Math.abs(first + index), samples.length)] as number;
    signal[index] = sample;
    isSound ||= sample !== 0;
  }
  if (!isSound) return false;
  if (options.removesOffset) subtractMean(signal.subarray(0, length));
  if (preemphasis !== undefined) {
    for (let index = length - 1; index > 0; index--)
      signal[index] = (signal[index] as number) - preemphasis * (signal[index - 1] as number);
    signal[0] = (signal[0] as number) * (1 - preemphasis);
  }
  for (let index = 0; index < length; index++) signal[index] = (signal[index] as number) * (window[index] as number);
  return true;
}

function subtractMean(frame: Float64Array): void {
  const mean = frame.reduce((sum, value) => sum + value, 0) / frame.length;
  for (let index = 0; index < frame.length; index++) frame[index] = (frame[index] as number) - mean;
}

function powerSpectrum({ real, imaginary }: FourierTransform, powers: Float32Array): void {
  for (let bin = 0; bin < powers.length; bin++)
    powers[bin] = (real[bin] as number) ** 2 + (imaginary[bin] as number) ** 2;
}

function sumEnergies(powers: Float32Array, bank: MelFilterBank, least: number, energies: Float32Array): void {
  bank.spans.forEach(([from, to], filter) => {
    let energy = 0;
    for (let bin = from; bin < to; bin++)
      energy += (bank.weights[filter * bank.bins + bin] as number) * (powers[bin] as number);
    energies[filter] = Math.max(least, energy);
  });
}
