import { bitWidth, tensorType } from '../../../ir/index.ts';
import type { OperatorContext } from '../operator-context.ts';
import {
  allInputs,
  broadcastOf,
  firstInput,
  forEach,
  type OutputTypes,
  type Rule,
  type RuleTable,
  sameAs,
  shaped,
  since,
  tensorLike,
  withElement,
} from '../rule.ts';
import { normalizeAxis, unifyShapes } from '../shapes.ts';

const binary: Rule = (op) => shaped(op, broadcastOf(op, [0, 1]));
const variadic: Rule = (op) => shaped(op, broadcastOf(op, allInputs(op)));

/** @source onnx/defs/logical/defs.cc, binaryLogicalOpInference */
const comparison: Rule = (op) => [tensorType('bool', broadcastOf(op, [0, 1]))];

/** Before opset 7 the second operand was fitted to the first, which gave the result its shape. */
const fittedComparison = withElement('bool');

/**
 * These two were functions before opset 16. Python names the unknown dimensions of every value inside, so that the
 * numbers that follow are higher.
 * @source onnx/defs/logical/old.cc, GreaterOrEqual 12: Greater, Equal, Or
 */
const orEqualFunction: Rule = (op) => {
  const [type] = comparison(op);
  if (!type || !op.emulates) return [type];
  const [left, right] = [op.surroundings.materialize(type), op.surroundings.materialize(type)];
  // The two halves meet in Or: a dimension that was named twice is unknown again.
  const shape =
    left.kind === 'tensor' && right.kind === 'tensor'
      ? left.shape?.map((dim, axis) => (dim === right.shape?.[axis] ? dim : null))
      : undefined;
  return [op.surroundings.materialize(tensorType('bool', shape))];
};

/** Softmax and its kin only look at the axis. */
const alongAxis =
  (fallback: number): Rule =>
  (op) => {
    const shape = op.shape(0);
    if (shape) normalizeAxis(op.int('axis', fallback), shape.length);
    return firstInput(op);
  };

const cast: Rule = (op) => [tensorType(op.elementAttribute('to') ?? op.fail('attribute to is missing'), op.shape(0))];

function bitCast(op: OperatorContext): OutputTypes {
  const from = op.element(0);
  const to = op.elementAttribute('to') ?? op.fail('attribute to is missing');
  if (from && bitWidth(from) > 0 && bitWidth(to) > 0 && bitWidth(from) !== bitWidth(to)) {
    op.fail(`${from} and ${to} differ in width`);
  }
  return [tensorType(to, op.shape(0))];
}

/** @source onnx/defs/math/defs.cc, SwiGLUShapeInference */
const gatedUnit: Rule = (op) => {
  const [gate, value] = [op.shape(0), op.shape(1)];
  return shaped(op, gate && value && unifyShapes(gate, value));
};

// biome-ignore format: one list
const unary = [
  'Abs', 'Acos', 'Acosh', 'Asin', 'Asinh', 'Atan', 'Atanh', 'BitwiseNot', 'Ceil', 'Celu', 'Clip', 'Cos', 'Cosh',
  'CumProd', 'CumSum', 'Elu', 'Erf', 'Exp', 'Floor', 'Gelu', 'HardSigmoid', 'HardSwish', 'Identity', 'LRN',
  'LeakyRelu', 'Log', 'LpNormalization', 'Mish', 'Neg', 'PRelu', 'Reciprocal', 'Relu', 'Round', 'Selu', 'Shrink',
  'Sigmoid', 'Sign', 'Sin', 'Sinh', 'Softplus', 'Softsign', 'Sqrt', 'Swish', 'Tan', 'Tanh', 'ThresholdedRelu',
];

/** Of these, version 1 had no inference. */
// biome-ignore format: one list
const untypedAtFirst = new Set([
  'Abs', 'Ceil', 'Clip', 'Elu', 'Exp', 'Floor', 'HardSigmoid', 'LeakyRelu', 'Log', 'Neg', 'PRelu', 'Reciprocal',
  'Relu', 'Selu', 'Sigmoid', 'Sqrt', 'Tanh',
]);

export const elementwiseRules: RuleTable = {
  ...Object.fromEntries(unary.map((name) => [name, untypedAtFirst.has(name) ? since({ 6: firstInput }) : firstInput])),
  ...forEach(['Add', 'Div', 'Mul', 'Sub'], since({ 6: firstInput, 7: binary })),
  Pow: since({ 1: firstInput, 7: binary }),
  ...forEach(['BitShift', 'BitwiseAnd', 'BitwiseOr', 'BitwiseXor', 'Mod', 'StringConcat'], binary),
  ...forEach(['Max', 'Mean', 'Min', 'Sum'], since({ 6: firstInput, 8: variadic })),
  ...forEach(['And', 'Equal', 'Greater', 'Less', 'Or', 'Xor'], since({ 1: fittedComparison, 7: comparison })),
  ...forEach(['GreaterOrEqual', 'LessOrEqual'], since({ 1: orEqualFunction, 16: comparison })),
  ...forEach(['IsInf', 'IsNaN', 'Not'], withElement('bool')),
  ...forEach(['Hardmax', 'LogSoftmax', 'Softmax'], since({ 1: firstInput, 11: alongAxis(-1) })),
  Cast: since({ 6: cast }),
  CastLike: (op) => [tensorLike(op, 1, op.shape(0))],
  BitCast: bitCast,
  SwiGLU: gatedUnit,
  Where: (op) => [tensorLike(op, 1, broadcastOf(op, [0, 1, 2]))],
  Trilu(op) {
    if ((op.shape(0)?.length ?? 2) < 2) op.fail('the input must have at least rank 2');
    return [sameAs(op, 0)];
  },
};
