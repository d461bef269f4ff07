import type { ElementType, TensorData } from '@optimum/core';
import { bytesOfValues, integerRanges, isFloatType, isIntegerType, valuesOf } from './element-values.ts';

/**
 * The tensor with another element type, where that keeps what it means: between integers when every value fits, between
 * floats with rounding. Returns what is wrong as text instead.
 */
export function castTensor(tensor: TensorData, elementType: ElementType): TensorData | string {
  if (tensor.elementType === elementType) return tensor;
  const refusal = `is ${tensor.elementType}, expected ${elementType}`;
  const areFloats = isFloatType(tensor.elementType) && isFloatType(elementType);
  const areIntegers = isIntegerType(tensor.elementType) && isIntegerType(elementType);
  if (!areFloats && !areIntegers) return refusal;
  if (areIntegers) {
    const [lowest, highest] = integerRanges[elementType] as readonly [bigint, bigint];
    const outside = firstOutside(tensor, lowest, highest);
    if (outside !== undefined) return `${refusal}, which cannot hold ${outside}`;
  }
  return { ...tensor, elementType, bytes: bytesOfValues(valuesOf(tensor), elementType) };
}

/** The first value of an integer tensor that is not in [lowest, highest], or `undefined`. */
export function firstOutside(tensor: TensorData, lowest: bigint, highest: bigint): bigint | undefined {
  const values = valuesOf(tensor);
  for (let index = 0; index < values.length; index++) {
    const value = BigInt(values[index] as number | bigint);
    if (value < lowest || value > highest) return value;
  }
  return undefined;
}

/** Whether NaN is among the values of a float tensor. Infinity may be: masks that are added have it. */
export function hasNaN(tensor: TensorData): boolean {
  if (!isFloatType(tensor.elementType)) return false;
  const values = valuesOf(tensor) as ArrayLike<number>;
  for (let index = 0; index < values.length; index++) if (Number.isNaN(values[index])) return true;
  return false;
}
