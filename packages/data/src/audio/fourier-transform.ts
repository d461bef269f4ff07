import { OptimumError } from '@optimum/core';

/**
 * The discrete Fourier transform of real signals of one length, which need not be a power of two (speech models use
 * 400): X[k] = Σ x[n]·e^(−2πi·kn/N). Tables are made once; a transform takes O(N · sum of the prime factors of N) steps
 * and allocates nothing.
 * @source J. W. Cooley and J. W. Tukey, "An Algorithm for the Machine Calculation of Complex Fourier Series" (1965)
 */
export class FourierTransform {
  readonly length: number;
  /** Of the last transform: [length] each. */
  readonly real: Float64Array;
  readonly imaginary: Float64Array;
  readonly #factors: readonly number[];
  /** e^(−2πi·j/N) for every j. */
  readonly #cosine: Float64Array;
  readonly #sine: Float64Array;
  /** The terms of one butterfly: real, imaginary, real, … */
  readonly #terms: Float64Array;

  /** @throws E_CONFIG_LIMIT when the length is no whole number above zero */
  constructor(length: number) {
    if (!Number.isSafeInteger(length) || length < 1)
      throw new OptimumError('E_CONFIG_LIMIT', `A Fourier transform needs a length from 1 on, not ${length}.`);
    this.length = length;
    this.real = new Float64Array(length);
    this.imaginary = new Float64Array(length);
    this.#factors = primeFactors(length);
    const angle = (index: number) => (-2 * Math.PI * index) / length;
    this.#cosine = Float64Array.from({ length }, (_, index) => Math.cos(angle(index)));
    this.#sine = Float64Array.from({ length }, (_, index) => Math.sin(angle(index)));
    this.#terms = new Float64Array(2 * Math.max(1, ...this.#factors));
  }

  /** Leaves the spectrum of `signal`, which has `length` samples, in `real` and `imaginary`. */
  transform(signal: Float64Array): void {
    this.#split(signal, 0, 0, this.length, 0);
  }

  /** The spectrum of `length` samples, the first at `from` and `N / length` apart, into the places from `to` on. */
  #split(signal: Float64Array, from: number, to: number, length: number, depth: number): void {
    if (length === 1) {
      this.real[to] = signal[from] as number;
      this.imaginary[to] = 0;
      return;
    }
    const radix = this.#factors[depth] as number;
    const part = length / radix;
    const step = this.length / length;
    for (let index = 0; index < radix; index++)
      this.#split(signal, from + index * step, to + index * part, part, depth + 1);
    for (let bin = 0; bin < part; bin++) this.#join(to + bin, part, radix, bin * step);
  }

  /** One butterfly: the same bin of `radix` spectra becomes `radix` bins of the joint one, `apart` places apart. */
  #join(at: number, apart: number, radix: number, twiddle: number): void {
    const { real, imaginary } = this;
    const terms = this.#terms;
    for (let index = 0; index < radix; index++) {
      const place = at + index * apart;
      const [a, b] = [real[place] as number, imaginary[place] as number];
      const turn = index * twiddle;
      const [c, d] = [this.#cosine[turn] as number, this.#sine[turn] as number];
      terms[2 * index] = a * c - b * d;
      terms[2 * index + 1] = a * d + b * c;
    }
    if (radix === 2) this.#joinTwo(at, at + apart);
    else for (let index = 0; index < radix; index++) this.#sum(at + index * apart, radix, index);
  }

  #joinTwo(first: number, second: number): void {
    const terms = this.#terms;
    const [a, b] = [terms[0] as number, terms[1] as number];
    const [c, d] = [terms[2] as number, terms[3] as number];
    this.real[first] = a + c;
    this.imaginary[first] = b + d;
    this.real[second] = a - c;
    this.imaginary[second] = b - d;
  }

  /** Σ terms[j] · e^(−2πi·j·bin/radix) */
  #sum(place: number, radix: number, bin: number): void {
    const turn = this.length / radix;
    let [real, imaginary] = [0, 0];
    for (let index = 0; index < radix; index++) {
      const [a, b] = [this.#terms[2 * index] as number, this.#terms[2 * index + 1] as number];
      const angle = ((index * bin) % radix) * turn;
      const [c, d] = [this.#cosine[angle] as number, this.#sine[angle] as number];
      real += a * c - b * d;
      imaginary += a * d + b * c;
    }
    this.real[place] = real;
    this.imaginary[place] = imaginary;
  }
}

function primeFactors(value: number): number[] {
  const factors: number[] = [];
  let rest = value;
  for (let factor = 2; factor * factor <= rest; factor++) {
    while (rest % factor === 0) {
      factors.push(factor);
      rest /= factor;
    }
  }
  return rest > 1 ? [...factors, rest] : factors;
}
