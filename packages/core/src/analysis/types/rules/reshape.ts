import type { Dim, Shape } from '../../../ir/index.ts';
import type { DimAlgebra } from '../dim-algebra.ts';
import type { OperatorContext } from '../operator-context.ts';
import { type OutputTypes, shaped } from '../rule.ts';

/**
 * Reshape: 0 copies a dimension (unless `allowzero`), one -1 takes what is left.
 * @source onnx/defs/tensor/defs.cc, Reshape; before opset 14 only constant shapes are read (tensor/old.cc)
 */
export function reshape(op: OperatorContext): OutputTypes {
  const target = op.emulates && op.version < 14 ? op.numbers(1) : op.shapeInput(1);
  if (!target) return shaped(op, undefined);
  const shape = op.shape(0);
  const copies = op.int('allowzero', 0) === 0;
  const free = target.indexOf(-1);
  if (target.lastIndexOf(-1) !== free) op.fail('the shape has more than one -1');
  const result = target.map((dim, axis): Dim => {
    if (dim === 0 && copies) return copiedDim(op, shape, axis);
    if (typeof dim === 'number' && dim < -1) op.fail(`${dim} is no dimension`);
    return dim === -1 ? null : dim;
  });
  if (free >= 0) result[free] = op.emulates ? leftNumber(op, shape, target, result) : leftDim(op, shape, result, free);
  return shaped(op, result);
}

function copiedDim(op: OperatorContext, shape: Shape | undefined, axis: number): Dim {
  if (!shape) return null;
  return axis < shape.length ? (shape[axis] as Dim) : op.fail(`0 at ${axis} copies a dimension that is not there`);
}

/** What Python takes for -1: known numbers only, dimensions that 0 copied cancel out. */
function leftNumber(
  op: OperatorContext,
  shape: Shape | undefined,
  target: readonly Dim[],
  result: readonly Dim[],
): Dim {
  const isCopied = (axis: number): boolean => target[axis] === 0 && typeof result[axis] !== 'number';
  let known = 1;
  for (const [axis, dim] of result.entries()) {
    if (typeof dim === 'number') known *= dim;
    else if (target[axis] !== -1 && !isCopied(axis)) return null;
  }
  if (known === 0) op.fail('-1 cannot stand beside a dimension of 0');
  if (!shape) return null;
  let total = 1;
  for (const [axis, dim] of shape.entries()) {
    if (typeof dim === 'number') total *= dim;
    else if (!isCopied(axis)) return null;
  }
  if (total % known !== 0) op.fail(`${total} elements cannot be divided by ${known}`);
  return total / known;
}

/** Elements of the input over the elements of the other dimensions, symbols included. */
function leftDim(op: OperatorContext, shape: Shape | undefined, result: readonly Dim[], free: number): Dim {
  if (!shape) return null;
  const rest = result.filter((_, axis) => axis !== free);
  if (rest.includes(0)) return null;
  const left = quotient(shape, rest, op.algebra);
  const isStatic = [...shape, ...rest].every((dim) => typeof dim === 'number');
  if (left === null && isStatic)
    op.fail(`[${shape.join(', ')}] cannot be reshaped to [${result.map((dim) => dim ?? -1).join(', ')}]`);
  return left;
}

/** Product of some dimensions over the product of others; equal ones are crossed out first, known or not named. */
export function quotient(numerator: Shape, denominator: Shape, algebra: DimAlgebra): Dim {
  const above: Dim[] = [...numerator];
  const below = denominator.filter((dim) => {
    const index = dim === null ? -1 : above.indexOf(dim);
    if (index >= 0) above.splice(index, 1);
    return index < 0;
  });
  const product = (dims: readonly Dim[]): Dim => dims.reduce((a, b) => algebra.multiply(a, b), 1);
  return below.length === 0 ? product(above) : algebra.divide(product(above), product(below));
}
