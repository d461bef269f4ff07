import { inferTypes } from '../analysis/index.ts';
import type { Model, Value } from '../ir/index.ts';
import { constantFloats } from './constant-floats.ts';

/** The number by which an elementwise operator treats all elements of a tensor alike. */
export type ScalarBeside = (constant: Value | undefined, tensor: Value | undefined) => number | undefined;

/**
 * Tells the number that a constant of one element holds, if it leaves the rank of the tensor beside it as it is: [1] and
 * a scalar give [1]. Ranks are those of the model as it is now.
 */
export function scalarBeside(model: Model): ScalarBeside {
  const { typeOf } = inferTypes(model);
  return (constant, tensor) => {
    const type = tensor && typeOf(tensor);
    const rank = (type?.kind === 'tensor' ? type.shape?.length : undefined) ?? 0;
    const floats = constantFloats(constant);
    return floats?.values.length === 1 && floats.dims.length <= rank ? floats.values[0] : undefined;
  };
}
