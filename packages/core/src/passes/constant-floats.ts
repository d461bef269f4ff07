import { constantOf } from '../analysis/index.ts';
import type { Value } from '../ir/index.ts';

/** A small float32 constant as its reader sees it. */
export interface ConstantFloats {
  readonly dims: readonly number[];
  readonly values: Float32Array;
}

/** Longer vectors than any network has channels: what is larger is a weight and is not read here. */
const maxElements = 1 << 20;

/** The numbers of a float32 vector or scalar, wherever it is stored; `undefined` for what is computed, large or no float32. */
export function constantFloats(value: Value | undefined): ConstantFloats | undefined {
  const constant = value && constantOf(value);
  if (constant?.elementType !== 'float32' || constant.tensor.elementType !== 'float32') return undefined;
  if (constant.tensor.elementCount > maxElements) return undefined;
  // Transposing moves no number of a matrix with one row or one column.
  if (constant.transposed && Math.min(...constant.dims) > 1) return undefined;
  // A copy: bytes of a file start anywhere, float arrays do not.
  return { dims: constant.dims, values: new Float32Array(new Uint8Array(constant.tensor.bytes()).buffer) };
}
