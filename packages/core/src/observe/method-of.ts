import { nearestNames, OptimumError } from '../foundation/index.ts';
import type { CalibrationMethod } from './calibration-method.ts';

/** What is taken when nothing is said: all but one value in a hundred thousand. */
export const defaultMethod: CalibrationMethod = { id: 'percentile', percentile: 99.999 };

/** Each method with its number (`percentile:99.9`), or without. */
const methods: Readonly<Record<CalibrationMethod['id'], (number: number | undefined) => CalibrationMethod>> = {
  'min-max': () => ({ id: 'min-max' }),
  'moving-average': () => ({ id: 'moving-average' }),
  percentile: (percentile = 99.999) => ({ id: 'percentile', percentile }),
  entropy: (bins = 2048) => ({ id: 'entropy', bins, quantizedBins: 128 }),
  'entropy-onnxruntime': (bins = 128) => ({ id: 'entropy-onnxruntime', bins, quantizedBins: 128 }),
  mse: () => ({ id: 'mse' }),
  'mean-sigma': (sigmas = 3) => ({ id: 'mean-sigma', sigmas }),
};

/** What the number of a method must be. */
const numbers: Partial<
  Record<CalibrationMethod['id'], { readonly is: (n: number) => boolean; readonly what: string }>
> = {
  percentile: { is: (n) => n > 50 && n <= 100, what: 'a percentage above 50, up to 100' },
  entropy: { is: (n) => Number.isInteger(n) && n >= 512 && n <= 65_536, what: 'a number of bins from 512 to 65536' },
  // Its time grows with the square of the bins.
  'entropy-onnxruntime': {
    is: (n) => Number.isInteger(n) && n >= 128 && n <= 8192,
    what: 'a number of bins from 128 to 8192',
  },
  'mean-sigma': { is: (n) => n > 0 && n <= 100, what: 'a number of standard deviations above 0' },
};

/**
 * A method by its name, with a number behind a colon where it takes one.
 * @throws E_USAGE for a name that is not known, or a number that does not fit
 */
export function methodOf(text: string): CalibrationMethod {
  const [name = '', number, ...rest] = text.split(':');
  if (!Object.hasOwn(methods, name)) {
    const names = Object.keys(methods);
    const near = nearestNames(name, names, 1)[0];
    throw new OptimumError('E_USAGE', `There is no calibration method "${name}" (there are ${names.join(', ')}).`, {
      hint: near && `Did you mean ${near}?`,
    });
  }
  const id = name as CalibrationMethod['id'];
  if (number === undefined) return methods[id](undefined);
  const rule = numbers[id];
  if (rest.length === 0 && number !== '' && rule?.is(Number(number))) return methods[id](Number(number));
  throw new OptimumError(
    'E_USAGE',
    `Calibration method "${text}": expected ${rule ? `${id}:N with ${rule.what}` : `${id} alone, it takes no number`}.`,
  );
}
