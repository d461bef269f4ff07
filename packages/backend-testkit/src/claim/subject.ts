import type { ElementType, QuantizationParameters } from '@optimum/core';

/** Numbers of a tensor that goes into a model, by their ONNX type. */
export interface Numbers {
  readonly elementType: ElementType;
  readonly dims: readonly number[];
  readonly values: readonly number[] | Float32Array;
}

/**
 * One operator with its inputs, its constants, and what it must give. Several stand side by side in one model, so that a
 * claim costs one process: names inside `body` start with `$`, which becomes the number of the subject.
 */
export interface Subject {
  /** For messages: `5×33×17, random`. */
  readonly label: string;
  /** Fed to the model as `$x0`, `$x1`, … */
  readonly inputs: readonly Numbers[];
  /** By name without `$`. */
  readonly constants: Readonly<Record<string, Numbers>>;
  /** ONNX text: from `$x0`, … and the constants to `$y`. */
  readonly body: string;
  readonly outputDims: readonly number[];
  /** What the float operator gives in float64, or what the kernel's own arithmetic gives where that is known. */
  readonly expected: Float64Array;
  /** How far each output may be from it. */
  readonly allowed: Float64Array;
  /** Scale and zero point of activations with ranges from calibration, by name without `$`. */
  readonly parameters: Readonly<Record<string, QuantizationParameters>>;
  /** Kernels that stand for it; 1 unless it has several operators. */
  readonly kernels?: number;
}

export const countOf = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

export const floats = (dims: readonly number[], values: readonly number[] | Float32Array): Numbers => ({
  elementType: 'float32',
  dims,
  values,
});
