import type { ElementType, TensorData } from '@optimum/core';

/** How one family of models wants its audio: a checked configuration. */
export interface FeatureExtractor {
  /** In Hertz. */
  readonly samplingRate: number;
  /** Inputs of the model for finite samples, at least one. */
  extract(samples: Float32Array): Record<string, TensorData>;
}

/** Bounds of options that size what is computed. */
export const bounds = {
  samplingRate: { least: 1, most: 768_000 },
  filters: { least: 1, most: 1024 },
  transform: { least: 2, most: 2048 },
  hop: { least: 1, most: 65_536 },
  samples: { least: 1, most: 2 ** 26 },
  frames: { least: 1, most: 2 ** 18 },
} as const;

export const floatTensor = (values: Float32Array, dims: readonly number[]): TensorData =>
  tensor('float32', values, dims);

/** A mask with ones for the first `ones` of `length` places, as int64 [1, length]. */
export const maskTensor = (length: number, ones = length): TensorData =>
  tensor('int64', new BigInt64Array(length).fill(1n, 0, ones), [1, length]);

function tensor(elementType: ElementType, values: Float32Array | BigInt64Array, dims: readonly number[]): TensorData {
  return { elementType, dims, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
}
