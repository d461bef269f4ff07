import type { Attribute, Node, Value } from '../ir/index.ts';
import type { CheckBuilder } from './check-builder.ts';

/** Operands of an integer product, with the zero points that are taken off first. */
export interface IntegerOperands {
  readonly activation: Value;
  readonly activationZeroPoint: Value | undefined;
  readonly weight: Value;
  readonly weightZeroPoint: Value | undefined;
}

/** Σ (a - zeroPointA) · (w - zeroPointW) along K, in float64: exact for any K below 2^37. */
export function exactMatrixProduct(build: CheckBuilder, operands: IntegerOperands): Value {
  const { activation, activationZeroPoint, weight, weightZeroPoint } = operands;
  return build.add('MatMul', [build.centred(activation, activationZeroPoint), build.centred(weight, weightZeroPoint)]);
}

/** Whole numbers below this are exact in float32, and so are sums of them in whatever order. */
const exactInFloat32 = 2 ** 24;
/** |a - zeroPoint| of 8-bit numbers; and of both digits of one to the base 16. */
const largestByte = 255;
const largestDigit = 16;

/**
 * A convolution of integers, exact: the runtime convolves in float32 only, which is exact while Σ |a| · |w| over one
 * output stays below 2^24. With more taps (channels per group × kernel) the operands are taken apart into digits to the
 * base 16, convolved digit by digit, and put together in float64.
 * @returns `undefined` past 65,535 taps, or where the weight's shape is not known
 */
export function exactConvolution(build: CheckBuilder, node: Node, operands: IntegerOperands): Value | undefined {
  const { activation, activationZeroPoint, weight, weightZeroPoint } = operands;
  const dims = weight.shape;
  const taps = dims?.slice(1).reduce<number>((product, dim) => product * Number(dim), 1) ?? Number.NaN;
  const filters = Number(dims?.[0]);
  const fits = (a: number, w: number): boolean => taps * a * w < exactInFloat32;
  if (!dims || !fits(largestDigit, largestDigit) || !Number.isInteger(filters)) return undefined;
  const a = build.centred(activation, activationZeroPoint);
  const w = build.centred(weight, weightZeroPoint && alongFilters(build, weightZeroPoint, dims.length));
  const splitsActivation = !fits(largestByte, largestByte);
  const splitsWeight = splitsActivation && !fits(largestDigit, largestByte);
  const weightDigits = digitsOf(build, w, splitsWeight);
  const attributes = convolutionAttributes(node);
  const [first, ...others] = digitsOf(build, a, splitsActivation).flatMap((left) =>
    weightDigits.map((right) => {
      const sum = build.toFloat64(build.add('Conv', [left.digit, right.digit], attributes));
      return build.product(sum, build.constant(left.unit * right.unit));
    }),
  );
  return first && build.sum(first, ...others);
}

interface Digit {
  /** float32 */
  readonly digit: Value;
  readonly unit: number;
}

/** value = 16 · high + low, with high from -16 to 15 and low from 0 to 15; or the value as it is. */
function digitsOf(build: CheckBuilder, value: Value, isSplit: boolean): Digit[] {
  if (!isSplit) return [{ digit: build.toFloat32(value), unit: 1 }];
  const base = build.constant(16);
  const high = build.add('Floor', [build.add('Div', [value, base])]);
  const low = build.add('Sub', [value, build.product(high, base)]);
  return [
    { digit: build.toFloat32(high), unit: 16 },
    { digit: build.toFloat32(low), unit: 1 },
  ];
}

/** Of the integer operators only what Conv has too. */
const convolutionAttributes = ({ attributes }: Node): Map<string, Attribute> =>
  new Map([...attributes].filter(([name]) => name !== 'channels_last'));

/** [] or [filters] as something that filters [filters, …] can be combined with. */
const alongFilters = (build: CheckBuilder, value: Value, rank: number): Value =>
  build.reshaped(
    value,
    Array.from({ length: rank }, (_, axis) => (axis === 0 ? -1 : 1)),
  );
