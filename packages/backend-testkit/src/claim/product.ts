import { integerProduct, quantizeRows } from '@optimum/core';
import type { Activations } from './activations.ts';
import type { Matrix } from './weights.ts';

/** What a product must give, and how far off each output may be: [samples, columns]. */
export interface Expectation {
  readonly expected: Float64Array;
  readonly allowed: Float64Array;
}

/** Relative error of float32 arithmetic over the few hundred terms of these sums. */
const float32Error = 2 ** -20;
/** Sums of whole numbers with scale 1: the nearest wrong one is 1 away. */
const lessThanOne = 0.49;

const multiply = (rows: Float32Array, matrix: Matrix, term: (x: number, w: number, column: number) => number) => {
  const { rows: depth, columns, values } = matrix;
  const out = new Float64Array((rows.length / depth) * columns);
  for (let at = 0; at < out.length; at++) {
    const [sample, column] = [Math.floor(at / columns), at % columns];
    let sum = 0;
    for (let k = 0; k < depth; k++)
      sum += term(rows[sample * depth + k] as number, values[k * columns + column] as number, column);
    out[at] = sum;
  }
  return out;
};

/**
 * The float product, and the bound that the bit widths imply: with half steps `a` of the activations and `w` of the
 * column's weights, each term x·w is off by |x|·w + (|w| + w)·a at most.
 */
export function boundedProduct(
  rows: Float32Array,
  matrix: Matrix,
  { parameters }: Pick<Activations, 'parameters'>,
  weightHalfSteps: Float64Array,
): Expectation {
  const half = parameters.scale / 2;
  return {
    expected: multiply(rows, matrix, (x, w) => x * w),
    allowed: multiply(rows, matrix, (x, w, column) => {
      const step = weightHalfSteps[column] as number;
      return Math.abs(x) * step + (Math.abs(w) + step) * half + float32Error * Math.abs(x * w);
    }),
  };
}

/** Whole numbers: the sum itself, exactly, or as kernels give it that add neighbours in 16 bits. */
export function integerSums(
  rows: Float32Array,
  matrix: Matrix,
  { parameters }: Pick<Activations, 'parameters'>,
  arithmetic: 'exact' | 'saturating',
): Expectation {
  const { rows: depth, columns, values } = matrix;
  const quantized = quantizeRows({ width: depth, values: rows }, parameters);
  const weights = Array.from({ length: columns }, (_, column) =>
    Int8Array.from({ length: depth }, (_, k) => values[k * columns + column] as number),
  );
  const expected = new Float64Array((rows.length / depth) * columns).map((_, at) => {
    const sample = Math.floor(at / columns);
    const row = quantized.subarray(sample * depth, (sample + 1) * depth);
    return integerProduct(row, weights[at % columns] as Int8Array, parameters.zeroPoint)[arithmetic];
  });
  return { expected, allowed: new Float64Array(expected.length).fill(lessThanOne) };
}
