import { constantOf } from '../analysis/index.ts';
import { type Attribute, elementCount, type Node, type Value } from '../ir/index.ts';

/** All that the time of an operator depends on. Two nodes with equal configurations are measured once. */
export interface Configuration {
  readonly op: 'Conv' | 'MatMul' | 'Gemm';
  /** Shape of the activation, as it occurs. */
  readonly input: readonly number[];
  /** Dims of the weight as the operator reads it. */
  readonly weight: readonly number[];
  readonly output: readonly number[];
  readonly attributes: readonly (readonly [string, Attribute])[];
  readonly hasBias: boolean;
  /** What follows and costs nothing in the float kernel. */
  readonly activation: Activation | undefined;
}

/** Activations that float convolutions take along. */
export const activations = ['Relu', 'HardSwish', 'Sigmoid', 'Tanh', 'LeakyRelu', 'HardSigmoid'] as const;
export type Activation = (typeof activations)[number];

/** Below this many multiplications an operator is over before its form matters. */
const leastWork = 100_000;

/**
 * The configuration of a Conv, MatMul or Gemm with a constant weight; `undefined` for other operators, and for those too
 * small to measure.
 * @param shapeOf shape of a value as it occurs
 * @param activation what follows: see `activationBehind`
 */
export function configurationOf(
  node: Node,
  shapeOf: (value: Value) => readonly number[] | undefined,
  activation: Activation | undefined,
): Configuration | undefined {
  const [source, operand, bias] = node.inputs;
  const input = source && shapeOf(source);
  const output = node.outputs[0] && shapeOf(node.outputs[0]);
  const weight = operand && constantOf(operand)?.dims;
  const isKnown = node.domain === '' && (node.op === 'Conv' || node.op === 'MatMul' || node.op === 'Gemm');
  if (!isKnown || !input || !output || !weight) return undefined;
  if (elementCount(output) * multiplications(node, weight) < leastWork) return undefined;
  return {
    op: node.op as Configuration['op'],
    input,
    weight,
    output,
    attributes: [...node.attributes].sort(([a], [b]) => (a < b ? -1 : 1)),
    hasBias: bias !== undefined,
    activation,
  };
}

/** For each element of the output. */
function multiplications(node: Node, weight: readonly number[]): number {
  if (node.op === 'Conv') return elementCount(weight.slice(1));
  return weight[node.int('transB', 0) === 1 ? 1 : 0] as number;
}

/** The operator that alone reads the result of a convolution, or that with HardSigmoid of it is HardSwish. */
export function activationBehind(node: Node): Activation | undefined {
  if (!node.is('Conv')) return undefined;
  const [first, second, ...others] = node.outputs[0]?.consumers ?? [];
  if (!first || node.outputs[0]?.isGraphOutput || others.length > 0) return undefined;
  if (second) {
    const gate = [first, second].find((consumer) => consumer.is('HardSigmoid'));
    const product = gate?.outputs[0]?.consumers[0];
    return product?.is('Mul') && [first, second].includes(product) ? 'HardSwish' : undefined;
  }
  // The bounds of Clip cost as much as those of Relu.
  if (first.is('Clip')) return 'Relu';
  return activations.find((op) => first.is(op));
}
