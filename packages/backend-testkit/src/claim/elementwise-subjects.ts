import { type QuantizationParameters, type Random, seededRandom } from '@optimum/core';
import { spreadActivations } from './activations.ts';
import { outputParameters, roundedTo } from './output-step.ts';
import { countOf, floats, type Numbers, type Subject } from './subject.ts';

/** Dims of every activation: an image of a few channels. */
export const image = [1, 4, 6, 6] as const;

/** One operator that computes number by number or over windows, with what it gives in float64. */
interface Elementwise {
  /** Activations that it takes. */
  readonly operands: 1 | 2;
  readonly body: string;
  readonly outputDims?: readonly number[];
  readonly constants?: Readonly<Record<string, Numbers>>;
  compute(a: Float32Array, b: Float32Array): ArrayLike<number>;
  /** How far an output moves at most when every input moves by half a step. */
  spread(half: number): number;
  /** Known without data. */
  readonly output?: QuantizationParameters;
}

/** |activations| is 2 at most. */
const largest = 2;
const mask = [1, 0, 0, 1, 0, 1];

const map = (a: Float32Array, f: (value: number, at: number) => number): Float64Array => Float64Array.from(a, f);
/** A window's mean, maximum or the like: positions of the input that output `at` reads. */
const windows = (
  a: Float32Array,
  count: number,
  positions: (at: number) => readonly number[],
  f: (values: readonly number[]) => number,
): Float64Array => Float64Array.from({ length: count }, (_, at) => f(positions(at).map((index) => a[index] as number)));
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The 2×2 window of output `at` [1, 4, 3, 3] in [1, 4, 6, 6]. */
export const pooled = (at: number): readonly number[] => {
  const [channel, row, column] = [Math.floor(at / 9), Math.floor(at / 3) % 3, at % 3];
  const first = channel * 36 + row * 12 + column * 2;
  return [first, first + 1, first + 6, first + 7];
};
const plane = (at: number): readonly number[] => Array.from({ length: 36 }, (_, index) => at * 36 + index);
const row = (at: number): readonly number[] => Array.from({ length: 6 }, (_, index) => Math.floor(at / 6) * 6 + index);

/** By operator. The output's error is what the half steps of the inputs come to, by the operator's steepest slope. */
const operators: Readonly<Record<string, Elementwise>> = {
  Add: {
    operands: 2,
    body: 'Add ($x0, $x1)',
    compute: (a, b) => map(a, (x, at) => x + (b[at] as number)),
    spread: (h) => 2 * h,
  },
  Mul: {
    operands: 2,
    body: 'Mul ($x0, $x1)',
    compute: (a, b) => map(a, (x, at) => x * (b[at] as number)),
    spread: (h) => 2 * largest * h + h * h,
  },
  Concat: {
    operands: 2,
    body: 'Concat <axis = 1> ($x0, $x1)',
    outputDims: [1, 8, 6, 6],
    compute: (a, b) => [...a, ...b],
    spread: (h) => h,
  },
  Where: {
    operands: 2,
    body: 'Where ($c, $x0, $x1)',
    constants: { c: { elementType: 'bool', dims: [6], values: mask } },
    compute: (a, b) => map(a, (x, at) => (mask[at % 6] ? x : (b[at] as number))),
    spread: (h) => h,
  },
  Sigmoid: { operands: 1, body: 'Sigmoid ($x0)', compute: (a) => map(a, sigmoid), spread: (h) => h / 4 },
  LeakyRelu: {
    operands: 1,
    body: 'LeakyRelu <alpha = 0.1> ($x0)',
    compute: (a) => map(a, (x) => (x < 0 ? Math.fround(0.1) * x : x)),
    spread: (h) => h,
  },
  // A probability p moves by p·(1 - p) ≤ 1/4 times twice what its operands move.
  Softmax: {
    operands: 1,
    body: 'Softmax <axis = 3> ($x0)',
    compute: (a) =>
      map(a, (x, at) => Math.exp(x) / row(at).reduce((sum, index) => sum + Math.exp(a[index] as number), 0)),
    spread: (h) => h / 2,
    output: { scale: 1 / 256, zeroPoint: 0 },
  },
  AveragePool: {
    operands: 1,
    body: 'AveragePool <kernel_shape = [2, 2], strides = [2, 2]> ($x0)',
    outputDims: [1, 4, 3, 3],
    compute: (a) => windows(a, 36, pooled, mean),
    spread: (h) => h,
  },
  GlobalAveragePool: {
    operands: 1,
    body: 'GlobalAveragePool ($x0)',
    outputDims: [1, 4, 1, 1],
    compute: (a) => windows(a, 4, plane, mean),
    spread: (h) => h,
  },
};

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** The subject of an operator between integers on both sides; `undefined` for one that the kit does not know. */
export function elementwiseSubject(op: string, seed: number): Subject | undefined {
  const operator = Object.hasOwn(operators, op) ? operators[op] : undefined;
  if (!operator) return undefined;
  const random: Random = seededRandom(seed);
  const a = spreadActivations(countOf(image), random);
  const b = spreadActivations(countOf(image), random);
  const inputs = [a, b].slice(0, operator.operands);
  const expected = Float64Array.from(operator.compute(a.values, b.values));
  const output = operator.output ?? outputParameters(expected);
  const spread = operator.spread(a.parameters.scale / 2);
  const exact = { expected, allowed: new Float64Array(expected.length).fill(spread * (1 + 2 ** -10)) };
  return {
    label: `${op} of ${image.join('×')}`,
    inputs: inputs.map(({ values }) => floats(image, values)),
    constants: operator.constants ?? {},
    body: `$y = ${operator.body}`,
    outputDims: operator.outputDims ?? image,
    ...roundedTo(output, exact, false),
    parameters: Object.fromEntries([
      ...inputs.map(({ parameters }, index) => [`x${index}`, parameters]),
      ['y', output],
    ]),
  };
}
