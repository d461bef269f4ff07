import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filterBank, type MelFilterOptions, type MelScale, melFilterBank } from './mel-filter-bank.ts';

const whisper: MelFilterOptions = {
  bins: 201,
  filters: 80,
  lowestHz: 0,
  highestHz: 8000,
  samplingRate: 16_000,
  scale: 'slaney',
  norm: 'slaney',
};

describe('mel filter banks', () => {
  it('are the published one of Whisper', () => {
    const { weights } = melFilterBank(whisper);
    // The definition of librosa.filters.mel(sr=16000, n_fft=400, n_mels=80) in NumPy 2, float32; the first row begins as
    // the mel_filters in the preprocessor_config.json of openai/whisper-tiny does.
    expect([...weights.subarray(0, 4)]).toEqual([0, 0.02486259490251541, 0, 0]);
    expect([...weights.subarray(201, 205)]).toEqual([0, 0.001990821911022067, 0.022871771827340126, 0]);
  });

  const options = fc.record({
    bins: fc.integer({ min: 129, max: 600 }),
    filters: fc.integer({ min: 1, max: 20 }),
    scale: fc.constantFrom<MelScale>('htk', 'kaldi', 'slaney'),
    triangles: fc.constantFrom<'mel' | 'hertz'>('mel', 'hertz'),
  });
  const range = { lowestHz: 50, highestHz: 7000, samplingRate: 16_000 };

  it('share every bin between the first and the last center: the weights of neighbours sum to one', () => {
    fc.assert(
      fc.property(options, (given) => {
        const { weights, spans, bins, filters } = melFilterBank({ ...range, ...given });
        const sums = Array.from({ length: bins }, (_, bin) =>
          Array.from({ length: filters }, (_, filter) => weights[filter * bins + bin] as number).reduce(
            (a, b) => a + b,
          ),
        );
        // Inside are the bins right of the first filter's peak and left of the last one's.
        const peak = (filter: number) => {
          const row = weights.subarray(filter * bins, (filter + 1) * bins);
          return row.indexOf(Math.max(...row));
        };
        for (let bin = peak(0) + 1; bin < peak(filters - 1); bin++) expect(sums[bin]).toBeCloseTo(1, 6);
        spans.forEach(([from, to]) => expect(to).toBeGreaterThan(from));
      }),
    );
  });

  it('of equal area have the same area in Hertz', () => {
    const { weights, bins } = melFilterBank({ ...whisper, bins: 20_001 });
    const width = 8000 / 20_000;
    for (let filter = 0; filter < 80; filter++) {
      const row = weights.subarray(filter * bins, (filter + 1) * bins);
      expect(row.reduce((sum, weight) => sum + weight, 0) * width).toBeCloseTo(1, 3);
    }
  });

  it('know where their weights are', () => {
    expect(filterBank(3, 4, Float32Array.of(0, 1, 2, 0, 0, 0, 0, 0, 3, 0, 0, 4)).spans).toEqual([
      [1, 3],
      [0, 0],
      [0, 4],
    ]);
  });
});
