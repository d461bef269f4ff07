/** Triangular filters over the bins of a spectrum. */
export interface MelFilterBank {
  readonly filters: number;
  readonly bins: number;
  /** [filters, bins] */
  readonly weights: Float32Array;
  /** First bin of each filter with a weight, and the one after the last. */
  readonly spans: readonly (readonly [number, number])[];
}

export type MelScale = 'htk' | 'kaldi' | 'slaney';

export interface MelFilterOptions {
  /** Bins of the spectrum: half of the transform's length, plus one. */
  readonly bins: number;
  readonly filters: number;
  readonly lowestHz: number;
  readonly highestHz: number;
  readonly samplingRate: number;
  readonly scale: MelScale;
  /** Slaney: every filter has the same area, and not the same height. */
  readonly norm?: 'slaney';
  /** Filters are triangles over mels and not over Hertz, as torchaudio and Kaldi draw them. */
  readonly triangles?: 'mel' | 'hertz';
}

/** Slaney's scale is linear up to 1,000 Hz, which are 15 mels, and logarithmic with 27 steps per factor 6.4 from there. */
const slaneyStep = Math.log(6.4) / 27;

/**
 * Hertz to mel.
 * @source HTK Book 3.4, section 5.4 (htk); Kaldi, feat/mel-computations.h (kaldi); M. Slaney, "Auditory Toolbox"
 *   (1998), technical report 1998-010 (slaney)
 */
const toMel: Readonly<Record<MelScale, (hertz: number) => number>> = {
  htk: (hertz) => 2595 * Math.log10(1 + hertz / 700),
  kaldi: (hertz) => 1127 * Math.log(1 + hertz / 700),
  slaney: (hertz) => (hertz >= 1000 ? 15 + Math.log(hertz / 1000) / slaneyStep : (3 * hertz) / 200),
};

const toHertz: Readonly<Record<MelScale, (mel: number) => number>> = {
  htk: (mel) => 700 * (10 ** (mel / 2595) - 1),
  kaldi: (mel) => 700 * (Math.exp(mel / 1127) - 1),
  slaney: (mel) => (mel >= 15 ? 1000 * Math.exp(slaneyStep * (mel - 15)) : (200 * mel) / 3),
};

/**
 * Filters whose centers are evenly spaced in mels between the lowest and the highest frequency; each is a triangle from
 * the center before to the center after. Weights are rounded to float32.
 * @source librosa 0.10, librosa.filters.mel; torchaudio 2, compliance.kaldi.get_mel_banks
 */
export function melFilterBank(options: MelFilterOptions): MelFilterBank {
  const { bins, filters, scale } = options;
  const mels = evenly(toMel[scale](options.lowestHz), toMel[scale](options.highestHz), filters + 2);
  const binHertz = evenly(0, Math.floor(options.samplingRate / 2), bins);
  const overMels = options.triangles === 'mel';
  const corners = overMels ? mels : mels.map(toHertz[scale]);
  const places = overMels ? binMels(options) : binHertz;
  const weights = new Float32Array(filters * bins);
  for (let filter = 0; filter < filters; filter++) {
    const left = corners[filter] as number;
    const center = corners[filter + 1] as number;
    const right = corners[filter + 2] as number;
    const height = options.norm === 'slaney' ? 2 / (right - left) : 1;
    places.forEach((place, bin) => {
      const up = (place - left) / (center - left);
      const down = (right - place) / (right - center);
      weights[filter * bins + bin] = Math.max(0, Math.min(up, down)) * height;
    });
  }
  return filterBank(filters, bins, weights);
}

/** The bank of given weights, as [filters, bins]. */
export function filterBank(filters: number, bins: number, weights: Float32Array): MelFilterBank {
  const spans = Array.from({ length: filters }, (_, filter): [number, number] => {
    const row = weights.subarray(filter * bins, (filter + 1) * bins);
    const first = row.findIndex((weight) => weight !== 0);
    return first < 0 ? [0, 0] : [first, row.findLastIndex((weight) => weight !== 0) + 1];
  });
  return { filters, bins, weights, spans };
}

function binMels({ bins, samplingRate, scale }: MelFilterOptions): Float64Array {
  const width = samplingRate / ((bins - 1) * 2);
  return Float64Array.from({ length: bins }, (_, bin) => toMel[scale](bin * width));
}

function evenly(first: number, last: number, length: number): Float64Array {
  const step = (last - first) / (length - 1);
  return Float64Array.from({ length }, (_, index) => first + step * index);
}
