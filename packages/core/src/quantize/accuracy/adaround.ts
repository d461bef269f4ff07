import type { Model, Tensor } from '../../ir/index.ts';
import type { ObservationRequest } from '../../observe/index.ts';
import { nodeIds, type Plan, valueIds } from '../../plan/index.ts';
import type { RoundedWeight, WeightOverrides } from '../weight-override.ts';
import { type AppliedAlgorithm, left, type Outcome, summarise } from './applied-algorithm.ts';
import { dequantize, quantizeWeight, relativeError, type WeightGrid } from './emulate-product.ts';
import { gram, halves, type Matrix, multiply } from './matrix.ts';
import { type Observed, sampledRowCount, sampledRows } from './observed.ts';
import { isFiniteMatrix, isOnlyReader, notFinite, type Product, productsOf, readWeight } from './product.ts';
import { gridsOf, transposed } from './quantized-layer.ts';
import { roundAdaptively } from './round-adaptively.ts';

export interface AdaroundOptions {
  /** Which layers become integer, and how. @defaultValue all of them, int8 by channel */
  readonly plan?: Plan | undefined;
  /** Steps of the optimizer. @defaultValue 300 */
  readonly iterations?: number | undefined;
  /**
   * Multiplications that a layer may cost: larger ones take fewer steps, or are left. @defaultValue 10^10, some ten
   * seconds
   */
  readonly maxOperations?: number | undefined;
}

export interface AdaroundResult {
  readonly report: AppliedAlgorithm;
  /** For `realize`: the integers of the layers that gained. */
  readonly overrides: WeightOverrides;
}

const defaultIterations = 300;
/** With fewer steps the rounding does not settle. */
const fewestIterations = 40;
const defaultMaxOperations = 1e10;
/** Rows to fit to, and as many to check on. */
const fewestRows = 8;
/** Added to the diagonal of XᵀX, as part of its mean: directions that no row shows are not free. */
const damping = 0.01;

/** What has to be observed for `adaround`: rows of every tensor that products read. */
export function adaroundRequests(model: Model): ObservationRequest[] {
  const ids = valueIds(model);
  const tensors = new Set(productsOf(model).flatMap(({ source }) => ids.get(source) ?? []));
  return [...tensors].map((tensor) => ({ tensor, detail: 'range', rows: sampledRowCount }));
}

/**
 * Chooses for each weight of MatMul and Gemm whether it is rounded up or down, so that the outputs of the layer change
 * least on one half of the sampled rows; a layer keeps nearest rounding unless the other half gains too. Pure: the
 * integers are for `realize`. O(iterations · inputs² · outputs) for each layer, whatever the number of rows.
 * @source Nagel et al. 2020, Up or Down? Adaptive Rounding for Post-Training Quantization, arXiv 2004.10568
 */
export function adaround(model: Model, observed: Observed, options: AdaroundOptions = {}): AdaroundResult {
  const ids = { nodes: nodeIds(model), values: valueIds(model) };
  const gridOf = gridsOf(options.plan);
  const overrides = new Map<Tensor, RoundedWeight>();
  const outcomes = productsOf(model).flatMap((product) => {
    const grid = gridOf(ids.nodes.get(product.node) ?? '');
    if (!grid) return [];
    const rows = sampledRows(observed, ids.values.get(product.source) ?? '', product.inputs);
    const result = roundProduct(product, rows, grid, options);
    if (result.rounded) overrides.set(product.weight.tensor, result.rounded);
    return [result.outcome];
  });
  return { report: summarise('adaround', outcomes), overrides };
}

interface Rounded {
  readonly outcome: Outcome;
  readonly rounded?: RoundedWeight;
}

function roundProduct(product: Product, rows: Matrix | undefined, grid: WeightGrid, options: AdaroundOptions): Rounded {
  const iterations = iterationsOf(product, options);
  const why = whyNot(product, rows, grid, iterations);
  if (why !== undefined || !rows) return { outcome: left(why ?? '') };
  const weight = readWeight(product);
  if (!isFiniteMatrix(weight)) return { outcome: left(notFinite) };
  const { fitted, held } = halves(rows);
  const nearest = quantizeWeight(weight, grid);
  const limit = grid.range === 'reduced' ? 64 : 127;
  const values = roundAdaptively({ weight, nearest, limit, gram: damped(gram(fitted)), iterations });
  if (grid.range === 'pair-aware') keepPairsSafe(values, nearest.values, weight.columns);
  const exact = multiply(held, weight);
  const errorBefore = relativeError(exact, held, dequantize(nearest));
  const errorAfter = relativeError(exact, held, dequantize({ ...nearest, values }));
  if (!(errorAfter < errorBefore)) return { outcome: left('no gain on rows that were held out') };
  const how = `rounded the weight of ${product.node.op}`;
  return {
    outcome: { kind: 'applied', how, errorBefore, errorAfter },
    rounded: asStored(product, values, nearest.scales),
  };
}

function whyNot(
  { weight, alpha }: Product,
  rows: Matrix | undefined,
  grid: WeightGrid,
  iterations: number,
): string | undefined {
  if (grid.granularity !== 'channel') return 'one scale for the whole weight';
  if (alpha !== 1) return 'an alpha that is part of its scales';
  if (!isOnlyReader(weight)) return 'a weight that others read too';
  if (!rows || rows.rows < 2 * fewestRows) return 'too few rows of its input were observed';
  return iterations < fewestIterations ? 'too large' : undefined;
}

function iterationsOf(
  { inputs, outputs }: Product,
  { iterations = defaultIterations, maxOperations = defaultMaxOperations }: AdaroundOptions,
): number {
  const affordable = Math.floor(maxOperations / (inputs * inputs * outputs));
  return affordable < iterations ? affordable : Math.max(fewestIterations, iterations);
}

function damped({ rows, columns, values }: Matrix): Matrix {
  let sum = 0;
  for (let place = 0; place < values.length; place += columns + 1) sum += values[place] as number;
  const more = (damping * sum) / rows;
  return { rows, columns, values: values.map((value, place) => (place % (columns + 1) === 0 ? value + more : value)) };
}

/** Pairs along the inputs that could saturate go back to nearest rounding, for which the scales were chosen. */
function keepPairsSafe(values: Int8Array, nearest: Int8Array, columns: number): void {
  for (let place = 0; place + columns < values.length; place++) {
    if (Math.floor(place / columns) % 2 === 1) continue;
    const [a, b] = [values[place] as number, values[place + columns] as number];
    if (Math.max(a, 0) + Math.max(b, 0) <= 128 && Math.max(-a, 0) + Math.max(-b, 0) <= 128) continue;
    values[place] = nearest[place] as number;
    values[place + columns] = nearest[place + columns] as number;
  }
}

/** [inputs, outputs] as the float tensor lies. */
function asStored(
  { weight, inputs, outputs, isTransposed }: Product,
  values: Int8Array,
  scales: Float32Array,
): RoundedWeight {
  const liesAcross = weight.transposed !== isTransposed;
  return liesAcross
    ? { values: transposed(values, inputs, outputs), scales, scalesAlong: 'rows' }
    : { values, scales, scalesAlong: 'columns' };
}
