import { intAttribute, type Node, tensorOf, type Value } from '../ir/index.ts';
import type { CheckBuilder } from './check-builder.ts';
import { exactConvolution, exactMatrixProduct, type IntegerOperands } from './exact-products.ts';

/** How far each output of a kernel is from exact arithmetic, and how far it may be. Both are broadcast together. */
export interface Deviation {
  readonly deviation: Value;
  readonly allowed: Value;
}

/**
 * Half a unit of the integer sum: what rounding to float32 may leave is below it for sums up to 2^21, and past that the
 * sum's own share is added.
 */
const halfUnit = 0.5;
/** Relative error of a few float32 operations: the sum, two scales, a bias. */
const float32Error = 2 ** -22;
/** Half a step of 8 bits, and what float32 arithmetic may shift on 255 steps before they are rounded. */
const halfStep = 0.5 + 2 ** -11;

const contrib = 'com.microsoft';

/**
 * What a kernel hands out against the same product computed exactly, by the kernel's own arithmetic: integer sums must be
 * equal, float outputs must stand for the same integer sum, and 8-bit outputs must be the nearest to the exact value.
 * @returns `undefined` for a node that is no integer product, or one that cannot be computed again
 * @source onnx and onnxruntime contrib_ops operator definitions of the operators named here
 */
export function deviationOf(build: CheckBuilder, node: Node): Deviation | undefined {
  const [a, b, c, d, e, f, g, h, i] = node.inputs;
  switch (node.op) {
    case 'MatMulInteger': {
      return ofSum(build, node, exactMatrixProduct(build, operandsOf(a, c, b, d)));
    }
    case 'ConvInteger': {
      return ofSum(build, node, exactConvolution(build, node, operandsOf(a, c, b, d)));
    }
    case 'DynamicQuantizeMatMul': {
      const { quantized, scale, zeroPoint } = quantizedLike(build, a as Value);
      const exact = exactMatrixProduct(build, operandsOf(quantized, zeroPoint, b, d));
      return ofFloat(build, node, exact, scalesOf(build, scale, c), e);
    }
    case 'MatMulIntegerToFloat': {
      return ofFloat(build, node, exactMatrixProduct(build, operandsOf(a, e, b, f)), scalesOf(build, c, d), g);
    }
    case 'QLinearMatMul': {
      const exact = exactMatrixProduct(build, operandsOf(a, c, d, f));
      return ofBytes(build, node, exact, scalesOf(build, b, e), g as Value, h);
    }
    case 'QGemm':
      return ofGemm(build, node);
    case 'QLinearConv': {
      if (node.int('channels_last', 0) === 1) return undefined;
      const exact = exactConvolution(build, node, operandsOf(a, c, d, f));
      if (!exact) return undefined;
      const rank = d?.shape?.length ?? 0;
      const sum = i ? build.sum(exact, alongChannels(build, build.toFloat64(i), rank)) : exact;
      const scales = alongChannels(build, scalesOf(build, b, e), rank);
      return ofBytes(build, node, sum, scales, g as Value, h);
    }
    default:
      return undefined;
  }
}

const operandsOf = (
  activation: Value | undefined,
  activationZeroPoint: Value | undefined,
  weight: Value | undefined,
  weightZeroPoint: Value | undefined,
): IntegerOperands => ({
  activation: activation as Value,
  activationZeroPoint,
  weight: weight as Value,
  weightZeroPoint,
});

const scalesOf = (build: CheckBuilder, a: Value | undefined, b: Value | undefined): Value =>
  build.product(build.toFloat64(a as Value), build.toFloat64(b as Value));

/** [] or [channels] as something that [batch, channels, …] can be combined with. */
const alongChannels = (build: CheckBuilder, value: Value, rank: number): Value =>
  build.reshaped(
    value,
    Array.from({ length: rank - 1 }, (_, axis) => (axis === 0 ? -1 : 1)),
  );

/** alpha · A' · B' + C with the bias in units of the integer sum; the output is float without a scale of its own. */
function ofGemm(build: CheckBuilder, node: Node): Deviation {
  const [a, aScale, aZero, b, bScale, bZero, bias, yScale, yZero] = node.inputs;
  const transposes = { perm: { type: 'ints', value: [1, 0] } } as const;
  const matrix = (value: Value, name: string): Value =>
    node.int(name, 0) === 1 ? build.add('Transpose', [value], transposes) : value;
  const operands = operandsOf(matrix(a as Value, 'transA'), aZero, matrix(b as Value, 'transB'), bZero);
  const exact = exactMatrixProduct(build, operands);
  const sum = bias ? build.sum(exact, build.toFloat64(bias)) : exact;
  const scales = build.product(scalesOf(build, aScale, bScale), build.constant(node.float('alpha', 1)));
  return yScale ? ofBytes(build, node, sum, scales, yScale, yZero) : ofFloat(build, node, sum, scales, undefined);
}

/** The kernel hands out the sum itself. */
function ofSum(build: CheckBuilder, node: Node, exact: Value | undefined): Deviation | undefined {
  if (!exact) return undefined;
  const output = build.toFloat64(node.outputs[0] as Value);
  return { deviation: build.distance(output, exact), allowed: build.constant(halfUnit) };
}

/** The kernel hands out sum · scales + bias in float32; the sum is recovered by dividing. */
function ofFloat(build: CheckBuilder, node: Node, exact: Value, scales: Value, bias: Value | undefined): Deviation {
  const output = build.add('Div', [build.toFloat64(node.outputs[0] as Value), scales]);
  const shift = bias && build.add('Div', [build.toFloat64(bias), scales]);
  const expected = shift ? build.sum(exact, shift) : exact;
  const magnitude = [exact, output, ...(shift ? [shift] : [])].map((value) => build.add('Abs', [value]));
  const share = build.product(build.sum(...(magnitude as [Value, ...Value[]])), build.constant(float32Error));
  return { deviation: build.distance(output, expected), allowed: build.sum(share, build.constant(halfUnit)) };
}

/** The kernel hands out round(sum · scales / scale) + zeroPoint, kept within the type. */
function ofBytes(
  build: CheckBuilder,
  node: Node,
  sum: Value,
  scales: Value,
  scale: Value,
  zeroPoint: Value | undefined,
): Deviation {
  const factor = build.add('Div', [scales, build.toFloat64(scale)]);
  const steps = build.product(sum, factor);
  const shifted = zeroPoint ? build.sum(steps, build.toFloat64(zeroPoint)) : steps;
  const [least, greatest] = zeroPoint?.elementType === 'int8' ? [-128, 127] : [0, 255];
  const clipped = build.add('Min', [build.add('Max', [shifted, build.constant(least)]), build.constant(greatest)]);
  const output = build.toFloat64(node.outputs[0] as Value);
  return { deviation: build.distance(output, clipped), allowed: build.constant(halfStep) };
}

/** DynamicQuantizeLinear in operators that every opset has; a range of zero has scale 1. */
function quantizedLike(build: CheckBuilder, x: Value): { quantized: Value; scale: Value; zeroPoint: Value } {
  const zero = build.float32Constant(0);
  const low = build.add('Min', [build.reduced('ReduceMin', x), zero]);
  const high = build.add('Max', [build.reduced('ReduceMax', x), zero]);
  const width = build.add('Div', [build.add('Sub', [high, low]), build.float32Constant(255)]);
  const isSomething = build.add('Cast', [width], { to: intAttribute(9) });
  const scale = build.add('Add', [width, build.toFloat32(build.add('Not', [isSomething]))]);
  const none = build.stored(tensorOf('uint8', [], Uint8Array.of(0)));
  const zeroPoint = build.add('QuantizeLinear', [build.add('Neg', [low]), scale, none], {}, contrib);
  return { quantized: build.add('QuantizeLinear', [x, scale, zeroPoint], {}, contrib), scale, zeroPoint };
}
