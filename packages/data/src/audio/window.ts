export type WindowName = 'hann' | 'hamming' | 'povey' | 'rectangular';

/** Of a generalized cosine window, a − (1 − a)·cos(2πn/N). */
const cosineOffset = { hann: 0.5, hamming: 0.54, povey: 0.5, rectangular: 1 } as const;

/**
 * A window function of `length` samples. Periodic windows, which repeat without a seam, are those of spectral analysis;
 * symmetric ones end as they begin.
 * @source SciPy, scipy.signal.windows (general_cosine); Kaldi, feat/feature-window.cc (povey: Hann to the power 0.85)
 */
export function windowFunction(name: WindowName, length: number, shape: 'periodic' | 'symmetric'): Float64Array {
  const offset = cosineOffset[name];
  const period = shape === 'periodic' ? length : length - 1;
  // A single sample has no period: it passes as it is.
  if (period === 0) return new Float64Array(length).fill(1);
  const cosine = Float64Array.from(
    { length },
    (_, n) => offset - (1 - offset) * Math.cos(n * ((2 * Math.PI) / period)),
  );
  return name === 'povey' ? cosine.map((value) => value ** 0.85) : cosine;
}
