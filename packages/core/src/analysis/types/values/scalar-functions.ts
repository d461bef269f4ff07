import type { Dim } from '../../../ir/index.ts';
import type { DimAlgebra } from '../dim-algebra.ts';

/** What an operator does to single elements; `isInteger` says of what type they are. Truth is 1 and 0. */
export type ScalarFunction = (operands: readonly Dim[], algebra: DimAlgebra, isInteger: boolean) => Dim;

const onNumbers =
  (compute: (a: number, b: number) => number): ScalarFunction =>
  ([a = null, b = null]) =>
    typeof a === 'number' && typeof b === 'number' ? compute(a, b) : null;

/** Numbers are computed as they are, floats too; the rest is left to the algebra. */
const arithmetic =
  (numbers: (a: number, b: number) => number, symbols: (algebra: DimAlgebra, a: Dim, b: Dim) => Dim): ScalarFunction =>
  ([a = null, b = null], algebra) =>
    typeof a === 'number' && typeof b === 'number' ? numbers(a, b) : symbols(algebra, a, b);

/** Sizes are never negative, so a symbol is larger than every negative number. Differences of symbols may be anything. */
const isSize = (dim: Dim): boolean => typeof dim === 'string' && !dim.includes(' - ');
const isNegative = (dim: Dim): boolean => typeof dim === 'number' && dim < 0;

/** `whenGreater`, `whenLess`: what is true of a size and a negative number, in this and in the other order. */
const comparison =
  (compute: (a: number, b: number) => boolean, whenGreater: boolean, whenLess: boolean): ScalarFunction =>
  ([a = null, b = null]) => {
    if (a === null || b === null) return null;
    if (typeof a === 'number' && typeof b === 'number') return Number(compute(a, b));
    if (a === b) return Number(compute(0, 0));
    if (isSize(a) && isNegative(b)) return Number(whenGreater);
    return isNegative(a) && isSize(b) ? Number(whenLess) : null;
  };

const divide: ScalarFunction = ([a = null, b = null], algebra, isInteger) => {
  if (typeof a !== 'number' || typeof b !== 'number') return algebra.divide(a, b);
  if (!isInteger) return a / b;
  return b === 0 ? null : Math.trunc(a / b);
};

/** Python's modulo: the sign of the divisor. */
const modulo = onNumbers((a, b) => (b === 0 ? Number.NaN : a - Math.floor(a / b) * b));

const extreme =
  (pick: (...numbers: number[]) => number): ScalarFunction =>
  (operands) => {
    if (operands.every((dim) => typeof dim === 'number')) return pick(...operands);
    return operands.every((dim) => dim === operands[0]) ? (operands[0] as Dim) : null;
  };

const logical =
  (decisive: 0 | 1): ScalarFunction =>
  ([a = null, b = null]) => {
    if (a === decisive || b === decisive) return decisive;
    return typeof a === 'number' && typeof b === 'number' ? 1 - decisive : null;
  };

/** Where the condition is not known, only branches that agree are. */
const where: ScalarFunction = ([condition = null, a = null, b = null]) => {
  if (typeof condition === 'number') return condition !== 0 ? a : b;
  return a === b ? a : null;
};

const unary =
  (compute: (a: number) => number): ScalarFunction =>
  ([a = null]) =>
    typeof a === 'number' ? compute(a) : null;

/** A symbol stands for an integer, on which these do nothing. */
const rounding =
  (compute: (a: number) => number): ScalarFunction =>
  ([a = null]) =>
    typeof a === 'number' ? compute(a) : a;

export const scalarFunctions: Readonly<Record<string, ScalarFunction>> = {
  Add: arithmetic(
    (a, b) => a + b,
    (algebra, a, b) => algebra.add(a, b),
  ),
  Sub: arithmetic(
    (a, b) => a - b,
    (algebra, a, b) => algebra.subtract(a, b),
  ),
  Mul: arithmetic(
    (a, b) => a * b,
    (algebra, a, b) => algebra.multiply(a, b),
  ),
  Div: divide,
  Mod: modulo,
  Pow: onNumbers((a, b) => a ** b),
  Max: extreme(Math.max),
  Min: extreme(Math.min),
  Equal: comparison((a, b) => a === b, false, false),
  Greater: comparison((a, b) => a > b, true, false),
  GreaterOrEqual: comparison((a, b) => a >= b, true, false),
  Less: comparison((a, b) => a < b, false, true),
  LessOrEqual: comparison((a, b) => a <= b, false, true),
  And: logical(0),
  Or: logical(1),
  Not: unary((a) => (a === 0 ? 1 : 0)),
  Neg: ([a = null], algebra) => (typeof a === 'number' ? -a : algebra.multiply(a, -1)),
  Abs: ([a = null]) => (typeof a === 'number' ? Math.abs(a) : isSize(a) ? a : null),
  Sqrt: unary(Math.sqrt),
  Ceil: rounding(Math.ceil),
  Floor: rounding(Math.floor),
  // Halves go to the even neighbour, which Math.round does not do.
  Round: rounding((a) => (Math.abs(a % 1) === 0.5 ? 2 * Math.round(a / 2) : Math.round(a))),
  Where: where,
};
