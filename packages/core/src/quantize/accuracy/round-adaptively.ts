import type { QuantizedMatrix } from './emulate-product.ts';
import { emptyMatrix, type Matrix, multiply } from './matrix.ts';

export interface RoundingProblem {
  /** [inputs, outputs] */
  readonly weight: Matrix;
  /** Nearest rounding on the grid. */
  readonly nearest: QuantizedMatrix;
  /** Greatest integer of the grid. */
  readonly limit: number;
  /** Xᵀ · X of the rows, [inputs, inputs]. */
  readonly gram: Matrix;
  readonly iterations: number;
}

const lambda = 0.01;
/**
 * What the error of nearest rounding counts for, per weight: little enough against λ that h ends at 0 or 1. Between 1/5
 * and 1/500 of λ the outcome hardly differs.
 */
const nearestError = lambda / 20;
/** Part of the iterations before h is pulled to 0 or 1. */
const warmUp = 0.2;
const [firstBeta, lastBeta] = [20, 2] as const;
const learningRate = 0.1;
const [meanDecay, squareDecay] = [0.9, 0.999] as const;
/** Columns that are optimized together: few enough to stay in the caches. */
const blockColumns = 32;

/**
 * Which way each weight is rounded, so that the outputs change least: minimises ‖X(Ŵ − W)‖² + λ Σ (1 − |2h(V) − 1|^β)
 * over V with h(V) = clip(1.2 σ(V) − 0.1, 0, 1), Ŵ = scale · (⌊W / scale⌋ + h(V)), β falling from 20 to 2. The data come
 * in as XᵀX, gradients are closed, Adam takes the steps. The error of each column counts against that of nearest
 * rounding, so that λ means the same for every layer. Deterministic. Returns int8 values [inputs, outputs].
 * O(iterations · inputs² · outputs).
 * @source Nagel et al. 2020, Up or Down? Adaptive Rounding for Post-Training Quantization, arXiv 2004.10568, section 3
 */
export function roundAdaptively(problem: RoundingProblem): Int8Array {
  const { columns } = problem.weight;
  const values = Int8Array.from(problem.nearest.values);
  for (let first = 0; first < columns; first += blockColumns) {
    const block = blockOf(problem, first, Math.min(blockColumns, columns - first));
    for (let iteration = 0; iteration < problem.iterations; iteration++) step(block, problem, iteration);
    writeBack(block, values, first, columns);
  }
  return values;
}

/** Some columns on their way; all arrays are [inputs, block columns] but those of columns. */
interface Block {
  readonly columns: number;
  readonly scales: Float32Array;
  /** By which the squared error of each column is multiplied: 0 where nearest rounding makes none. */
  readonly importance: Float64Array;
  readonly floors: Float32Array;
  /** W / scale - ⌊W / scale⌋ */
  readonly rests: Float32Array;
  readonly v: Float64Array;
  /** 1.2 σ(V) - 0.1, before it is clipped to [0, 1]. */
  readonly h: Float64Array;
  readonly mean: Float64Array;
  readonly square: Float64Array;
}

function blockOf({ weight, nearest, limit, gram }: RoundingProblem, first: number, columns: number): Block {
  const size = weight.rows * columns;
  const error = emptyMatrix(weight.rows, columns);
  const scales = nearest.scales.slice(first, first + columns);
  const [floors, rests] = [new Float32Array(size), new Float32Array(size)];
  for (let index = 0; index < size; index++) {
    const [row, column] = [Math.floor(index / columns), index % columns];
    const place = row * weight.columns + first + column;
    const scale = scales[column] as number;
    const quotient = (weight.values[place] as number) / scale;
    const floor = Math.max(-limit, Math.min(limit - 1, Math.floor(quotient)));
    floors[index] = floor;
    rests[index] = Math.max(0, Math.min(1, quotient - floor));
    error.values[index] = ((nearest.values[place] as number) - quotient) * scale;
  }
  return {
    columns,
    scales,
    importance: columnForms(gram, error).map((form) => (form > 0 ? (nearestError * weight.rows) / form : 0)),
    floors,
    rests,
    v: Float64Array.from(rests, (rest) => -Math.log(1.2 / (rest + 0.1) - 1)),
    h: Float64Array.from(rests),
    mean: new Float64Array(size),
    square: new Float64Array(size),
  };
}

/** eᵀ · G · e for each column e. */
function columnForms(gram: Matrix, error: Matrix): Float64Array {
  const forms = new Float64Array(error.columns);
  const product = multiply(gram, error);
  for (let index = 0; index < error.values.length; index++) {
    const column = index % error.columns;
    forms[column] = (forms[column] as number) + (error.values[index] as number) * (product.values[index] as number);
  }
  return forms;
}

function step(block: Block, { gram, iterations, weight }: RoundingProblem, iteration: number): void {
  const { columns, scales, importance, rests, v, h, mean, square } = block;
  const error = emptyMatrix(weight.rows, columns);
  for (let index = 0; index < v.length; index++) {
    const rounded = Math.max(0, Math.min(1, h[index] as number));
    error.values[index] = (rounded - (rests[index] as number)) * (scales[index % columns] as number);
  }
  const outputs = multiply(gram, error).values;
  const pull = pullOf(iteration / iterations);
  const meanCorrection = 1 - meanDecay ** (iteration + 1);
  const squareCorrection = 1 - squareDecay ** (iteration + 1);
  for (let index = 0; index < v.length; index++) {
    const column = index % columns;
    const fit = 2 * (importance[column] as number) * (scales[column] as number) * (outputs[index] as number);
    const gradient = gradientOf(h[index] as number, fit, pull);
    mean[index] = meanDecay * (mean[index] as number) + (1 - meanDecay) * gradient;
    square[index] = squareDecay * (square[index] as number) + (1 - squareDecay) * gradient * gradient;
    const size = Math.sqrt((square[index] as number) / squareCorrection) + 1e-8;
    v[index] = (v[index] as number) - (learningRate * (mean[index] as number)) / meanCorrection / size;
    h[index] = 1.2 / (1 + Math.exp(-(v[index] as number))) - 0.1;
  }
}

/** By the chain rule, with σ' = σ (1 - σ). Past its clips h stands still. */
const gradientOf = (h: number, fit: number, pull: (h: number) => number): number =>
  h < 0 || h > 1 ? 0 : ((fit + pull(h)) * (h + 0.1) * (1.1 - h)) / 1.2;

/** Derivative of λ (1 - |2h - 1|^β) at this part of the way. */
function pullOf(progress: number): (h: number) => number {
  if (progress < warmUp) return () => 0;
  const beta = lastBeta + (firstBeta - lastBeta) * (1 - (progress - warmUp) / (1 - warmUp));
  return (h) => -2 * lambda * beta * Math.sign(2 * h - 1) * Math.abs(2 * h - 1) ** (beta - 1);
}

function writeBack({ columns, floors, h }: Block, values: Int8Array, first: number, allColumns: number): void {
  for (let index = 0; index < h.length; index++) {
    const place = Math.floor(index / columns) * allColumns + first + (index % columns);
    values[place] = (floors[index] as number) + ((h[index] as number) >= 0.5 ? 1 : 0);
  }
}
