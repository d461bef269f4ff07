import type { Capability, QuantizationParameters, WeightScheme } from '@optimum/core';
import { convolutionRows, seededRandom } from '@optimum/core';
import { type Activations, extremeActivations, spreadActivations } from './activations.ts';
import { outputParameters, roundedTo } from './output-step.ts';
import { boundedProduct, type Expectation, integerSums } from './product.ts';
import { countOf, floats, type Numbers, type Subject } from './subject.ts';
import { halfSteps, type Matrix, normalMatrix, pairedMatrix, unsignedMatrix } from './weights.ts';

/**
 * `random`: numbers as trained layers have them, within the bound of the bit widths. `extremes`: the largest integers
 * that the claim lets through, whose sums must be exact. `beyond`: pairs that the pair rule forbids, whose sums must
 * saturate as predicted.
 */
export type Data = 'random' | 'extremes' | 'beyond';

/** How a claim is tried: data, the weight's scheme as it will be stored, and whether the result is 8 bits. */
export interface Trial {
  readonly claim: Capability;
  readonly scheme: WeightScheme;
  readonly data: Data;
  readonly output: 'float' | '8-bit';
}

/** Where a product gets its rows from and what it multiplies them by. */
interface Product {
  readonly label: string;
  readonly inputDims: readonly number[];
  /** K × columns, in the order in which kernels add neighbours. */
  readonly depth: number;
  readonly columns: number;
  readonly outputDims: readonly number[];
  readonly hasBias?: boolean;
  readonly body: string;
  constants(matrix: Matrix): Record<string, Numbers>;
  /** Each group's part of the input as rows, with its columns of the matrix. */
  groups(input: Float32Array, matrix: Matrix): readonly { readonly rows: Float32Array; readonly matrix: Matrix }[];
  /** Where output `column` of `sample` lies. @defaultValue sample · columns + column */
  place?(sample: number, column: number): number;
}

const matrixOf = ({ depth, columns }: Product, { claim, data }: Trial, seed: number): Matrix => {
  const random = seededRandom(seed);
  if (data === 'random') return normalMatrix(depth, columns, random);
  if (claim.weight === 'uint8') return unsignedMatrix(depth, columns, claim.op === 'Conv', random);
  return pairedMatrix(depth, columns, data === 'beyond' || claim.exact === 'always' ? 'unsafe' : 'safe', random);
};

/** The subject of a product: its numbers drawn, its outputs and bounds computed. */
export function productSubject(product: Product, trial: Trial, seed: number): Subject {
  const matrix = matrixOf(product, trial, seed);
  const draw = trial.data === 'random' ? spreadActivations : extremeActivations;
  const input = draw(countOf(product.inputDims), seededRandom(seed + 1));
  const steps = halfSteps(matrix, trial.claim, trial.scheme);
  const bias = product.hasBias ? biasOf(product.columns, trial.data) : undefined;
  const sums = outputsOf(product, matrix, input, steps, trial.data);
  const isExact = trial.data !== 'random';
  const exact = bias ? withBias(product, sums, bias, isExact ? undefined : { input, steps }) : sums;
  const parameters: Record<string, QuantizationParameters> = { x0: input.parameters };
  if (trial.output === '8-bit') parameters.y = outputParameters(exact.expected);
  const { expected, allowed } = parameters.y ? roundedTo(parameters.y, exact, isExact) : exact;
  return {
    label: `${product.label}, ${trial.data}, ${trial.scheme.granularity}`,
    inputs: [floats(product.inputDims, input.values)],
    constants: { ...product.constants(matrix), ...(bias && { b: floats([product.columns], bias) }) },
    body: product.body,
    outputDims: product.outputDims,
    expected,
    allowed,
    parameters,
  };
}

/** Whole numbers where the sums are to be exact. */
const biasOf = (columns: number, data: Data): Float32Array =>
  Float32Array.from({ length: columns }, (_, column) => (data === 'random' ? 0.1 * (column % 7) - 0.3 : 50 * column));

function outputsOf(
  { columns, outputDims, groups, place }: Product,
  matrix: Matrix,
  input: Activations,
  steps: Float64Array,
  data: Data,
): Expectation {
  const count = countOf(outputDims);
  const out = { expected: new Float64Array(count), allowed: new Float64Array(count) };
  let first = 0;
  for (const { rows, matrix: part } of groups(input.values, matrix)) {
    const result =
      data === 'random'
        ? boundedProduct(rows, part, input, steps.subarray(first, first + part.columns))
        : integerSums(rows, part, input, data === 'beyond' ? 'saturating' : 'exact');
    result.expected.forEach((value, at) => {
      const [sample, column] = [Math.floor(at / part.columns), first + (at % part.columns)];
      const to = place ? place(sample, column) : sample * columns + column;
      out.expected[to] = value;
      out.allowed[to] = result.allowed[at] as number;
    });
    first += part.columns;
  }
  return out;
}

/** A bias in int32 has steps of (activation scale · weight scale): half a step more, unless it is whole numbers. */
function withBias(
  { columns }: Product,
  { expected, allowed }: Expectation,
  bias: Float32Array,
  rounding: { readonly input: Activations; readonly steps: Float64Array } | undefined,
): Expectation {
  const halfStep = (at: number): number =>
    rounding ? rounding.input.parameters.scale * (rounding.steps[at % columns] as number) : 0;
  return {
    expected: expected.map((value, at) => value + (bias[at % columns] as number)),
    allowed: allowed.map((bound, at) => bound + halfStep(at)),
  };
}

/** x [m, k] · w [k, n]. */
export function matrixProduct(op: 'MatMul' | 'Gemm', m: number, k: number, n: number): Product {
  return {
    label: `${op} ${m}×${k}×${n}`,
    inputDims: [m, k],
    depth: k,
    columns: n,
    outputDims: [m, n],
    hasBias: op === 'Gemm',
    body: op === 'Gemm' ? '$y = Gemm ($x0, $w, $b)' : '$y = MatMul ($x0, $w)',
    constants: ({ values }) => ({ w: floats([k, n], values) }),
    groups: (rows, matrix) => [{ rows, matrix }],
  };
}

/** x [m, k] · w' with the weight stored as [n, k], and a bias. */
export function transposedProduct(m: number, k: number, n: number): Product {
  return {
    ...matrixProduct('Gemm', m, k, n),
    label: `Gemm ${m}×${k}×${n} with transB`,
    body: '$y = Gemm <transB = 1> ($x0, $w, $b)',
    constants: ({ values }) => ({
      w: floats(
        [n, k],
        Float32Array.from({ length: k * n }, (_, at) => values[(at % k) * n + Math.floor(at / k)] ?? 0),
      ),
    }),
  };
}

export interface ConvolutionShape {
  readonly input: readonly [number, number, number, number];
  readonly filters: number;
  readonly kernel: readonly [number, number];
  readonly groups: number;
}

/** Zero padding that keeps the size of odd kernels; no strides. The matrix has (kernel, channel) along K. */
export function convolution({ input, filters, kernel, groups }: ConvolutionShape): Product {
  const [batch, channels, height, width] = input;
  const perGroup = channels / groups;
  const [top, left] = kernel.map((size) => (size - 1) / 2) as [number, number];
  const taps = kernel[0] * kernel[1];
  const own = filters / groups;
  const geometry = { kernel, strides: [1, 1], dilations: [1, 1], pads: [top, left, top, left], groups } as const;
  return {
    label: `Conv ${input.join('×')} by ${filters} of ${kernel.join('×')}${groups > 1 ? ` in ${groups} groups` : ''}`,
    inputDims: input,
    depth: taps * perGroup,
    columns: filters,
    outputDims: [batch, filters, height, width],
    body: `$y = Conv <group = ${groups}, kernel_shape = [${kernel}], pads = [${geometry.pads}]> ($x0, $w)`,
    constants: ({ values }) => ({
      w: floats(
        [filters, perGroup, ...kernel],
        Float32Array.from({ length: filters * perGroup * taps }, (_, at) => {
          const [filter, channel, tap] = [
            Math.floor(at / taps / perGroup),
            Math.floor(at / taps) % perGroup,
            at % taps,
          ];
          return values[(tap * perGroup + channel) * filters + filter] ?? 0;
        }),
      ),
    }),
    groups: (values, matrix) =>
      convolutionRows(values, input, geometry).map((rows, group) => ({
        rows: rows.values,
        matrix: columnsOf(matrix, group * own, own),
      })),
    place: (sample, column) => {
      const plane = height * width;
      return (Math.floor(sample / plane) * filters + column) * plane + (sample % plane);
    },
  };
}

function columnsOf({ rows, columns, values }: Matrix, first: number, count: number): Matrix {
  const own = Float32Array.from(
    { length: rows * count },
    (_, at) => values[Math.floor(at / count) * columns + first + (at % count)] as number,
  );
  return { rows, columns: count, values: own };
}

const matrixShapes = [
  [1, 64, 32],
  [5, 33, 17],
  [24, 200, 48],
] as const;

const fullConvolutions: readonly ConvolutionShape[] = [
  { input: [1, 6, 5, 4], filters: 8, kernel: [3, 3], groups: 1 },
  { input: [2, 3, 4, 5], filters: 5, kernel: [3, 1], groups: 1 },
  { input: [1, 16, 4, 4], filters: 12, kernel: [1, 1], groups: 1 },
  { input: [1, 6, 4, 4], filters: 4, kernel: [3, 3], groups: 2 },
];
const depthwiseConvolutions: readonly ConvolutionShape[] = [
  { input: [1, 6, 5, 4], filters: 6, kernel: [3, 3], groups: 6 },
  { input: [2, 4, 7, 7], filters: 4, kernel: [5, 5], groups: 4 },
];

/** Shapes that a claim about products is tried at: one row, odd sizes, groups, one filter for each channel. */
export function productsOf({ op, mode, filters, exact }: Capability): readonly Product[] {
  if (op === 'Conv') {
    // Kernels for one filter each add no pairs, so that a pair rule cannot be seen on them.
    const full = filters === 'depthwise' ? [] : fullConvolutions;
    const depthwise = filters === 'full' || (!filters && exact === 'pair-rule') ? [] : depthwiseConvolutions;
    return [...full, ...depthwise].map(convolution);
  }
  const isGemm = op === 'Gemm';
  const plain = isGemm ? [] : matrixShapes.map(([m, k, n]) => matrixProduct('MatMul', m, k, n));
  const gemms = [
    ...matrixShapes.slice(1).map(([m, k, n]) => matrixProduct('Gemm', m, k, n)),
    transposedProduct(3, 40, 9),
  ];
  // While it runs, a Gemm becomes what a MatMul becomes.
  return [...plain, ...(isGemm || mode === 'dynamic' ? gemms : [])];
}
