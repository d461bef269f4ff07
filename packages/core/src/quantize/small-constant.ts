import { storedTensor } from '../analysis/index.ts';
import type { Tensor, Value } from '../ir/index.ts';
import { sentinelMagnitude } from '../observe/index.ts';

/** Larger ones are weights, whose payload nobody reads while planning. */
const mostNumbers = 64;

/** The numbers of a float32 tensor. */
export const floatsOf = (tensor: Tensor): Float32Array => new Float32Array(new Uint8Array(tensor.bytes()).buffer);

/** The numbers of a small constant in float32; `undefined` for what is computed, large or of another type. */
export function numbersOf(value: Value): readonly number[] | undefined {
  const tensor = storedTensor(value);
  if (tensor?.elementType !== 'float32' || tensor.elementCount > mostNumbers) return undefined;
  return [...floatsOf(tensor)];
}

/** True for a small constant that stands for minus infinity. */
export const isMaskConstant = (value: Value): boolean =>
  numbersOf(value)?.some((number) => Math.abs(number) >= sentinelMagnitude) === true;
