import { describe, expect, it } from 'vitest';
import { filterBank } from './mel-filter-bank.ts';
import { melSpectrogram, type SpectrogramOptions } from './spectrogram.ts';
import { windowFunction } from './window.ts';

/** A bank that passes every bin as it is. */
function identityBank(bins: number) {
  const weights = new Float32Array(bins * bins);
  for (let bin = 0; bin < bins; bin++) weights[bin * (bins + 1)] = 1;
  return filterBank(bins, bins, weights);
}

const plain: SpectrogramOptions = {
  window: windowFunction('rectangular', 4, 'periodic'),
  hopLength: 2,
  transformLength: 4,
  bank: identityBank(3),
  isCentered: false,
  leastEnergy: 0,
};

describe('spectrograms', () => {
  it('are the powers of frames', () => {
    // Frames 1 2 3 4 and 3 4 5 6: sums 10 and 18; X[1] = −2 + 2i; X[2] = −2.
    expect([...melSpectrogram(Float32Array.of(1, 2, 3, 4, 5, 6), plain)]).toEqual([100, 8, 4, 324, 8, 4]);
  });

  it('mirror the ends of a signal whose frames are centered', () => {
    // First frame: 3 2 1 2; next 1 2 3 4; next 3 4 3 2, the last sample not repeated.
    const powers = melSpectrogram(Float32Array.of(1, 2, 3, 4), { ...plain, isCentered: true });
    expect([...powers]).toEqual([64, 4, 0, 100, 8, 4, 144, 4, 0]);
  });

  it('subtract the mean, then the sample before, from every frame', () => {
    const options = { ...plain, removesOffset: true, preemphasis: 0.5, mostFrames: 1 };
    // 1 3 5 7 → −3 −1 1 3 → −1.5 0.5 1.5 2.5: sum 3; X[1] = −3 + 2i; X[2] = −3.
    expect([...melSpectrogram(Float32Array.of(1, 3, 5, 7, 9, 9), options)]).toEqual([9, 13, 9]);
  });

  it('have the least energy where there is silence', () => {
    expect([...melSpectrogram(new Float32Array(4), { ...plain, leastEnergy: 0.25 })]).toEqual([0.25, 0.25, 0.25]);
  });

  it('need a frame, and have bounds', () => {
    expect(() => melSpectrogram(new Float32Array(3), plain)).toThrow(
      expect.objectContaining({ code: 'E_DATA_INVALID' }),
    );
    expect(() => melSpectrogram(new Float32Array(0), { ...plain, isCentered: true })).toThrow(
      expect.objectContaining({ code: 'E_DATA_INVALID' }),
    );
    const long = { ...plain, hopLength: 1, transformLength: 2 ** 26 };
    expect(() => melSpectrogram(new Float32Array(20), long)).toThrow(
      expect.objectContaining({ code: 'E_LIMIT_ELEMENTS' }),
    );
  });
});
