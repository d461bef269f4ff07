import type { Model, Node, Tensor } from '../../ir/index.ts';
import type { ObservationRequest } from '../../observe/index.ts';
import { editableGraphs } from '../../passes/editable-graphs.ts';
import { nodeIds, type Plan, valueIds } from '../../plan/index.ts';
import type { WeightOverrides } from '../weight-override.ts';
import { type AppliedAlgorithm, left, type Outcome, summarise } from './applied-algorithm.ts';
import { type BiasPlace, biasPlace, shiftBias } from './bias-place.ts';
import { type Convolution, channelAt, convolutionOf, readFilters } from './convolution.ts';
import { dequantize, type WeightGrid } from './emulate-product.ts';
import { columnMeans, halves, type Matrix, multiply, pickColumns, spread, squaredNorm } from './matrix.ts';
import { type Observed, sampledRowCount, sampledRows } from './observed.ts';
import { isFiniteMatrix, notFinite, type Product, productOf, productsOf, readWeight } from './product.ts';
import { gridsOf, integersOf } from './quantized-layer.ts';

export interface BiasCorrectionOptions {
  /** Which layers become integer, and how. @defaultValue all of them, int8 by channel */
  readonly plan?: Plan | undefined;
  /** Weights whose integers are not the nearest ones. */
  readonly overrides?: WeightOverrides | undefined;
}

/** A shift beyond this multiple of the greatest bias says that something else is wrong with the layer. */
const largestShift = 2;
/** The gain is measured on so many outputs of a layer. */
const measuredColumns = 256;

/** What has to be observed for `biasCorrection`: rows of every tensor that products with a bias read. */
export function biasCorrectionRequests(model: Model): ObservationRequest[] {
  const ids = valueIds(model);
  return productsOf(model)
    .filter(({ node, outputs }) => biasPlace(node, outputs))
    .flatMap(({ source }) => ids.get(source) ?? [])
    .map((tensor) => ({ tensor, detail: 'range', rows: sampledRowCount }));
}

/**
 * Rounding weights shifts the mean of each output channel by E[(Ŵ − W) · x]: takes that off the layer's bias. Products
 * are corrected where it lowers the error on rows that the mean was not taken from; convolutions where the means of
 * their channels are known (padding is taken for data). Changes biases of `model`, which is no longer the float model
 * then: it is right for the integer weights only.
 * @source Nagel et al. 2019, Data-Free Quantization Through Weight Equalization and Bias Correction, arXiv 1906.04721,
 * section 4.2, with the empirical mean of the input
 */
export function biasCorrection(
  model: Model,
  observed: Observed,
  options: BiasCorrectionOptions = {},
): AppliedAlgorithm {
  const ids = { nodes: nodeIds(model), values: valueIds(model) };
  const gridOf = gridsOf(options.plan);
  const nodes = editableGraphs(model).flatMap((graph) => [...graph.nodes()]);
  const outcomes = nodes.flatMap((node) => {
    const layer = layerOf(node);
    const grid = layer && gridOf(ids.nodes.get(node) ?? '');
    if (!layer || !grid) return [];
    return [
      correctLayer(layer, { observed, grid, id: ids.values.get(layer.source) ?? '', overrides: options.overrides }),
    ];
  });
  return summarise('bias-correction', outcomes);
}

type Layer = (Product & { readonly kind: 'product' }) | (Convolution & { readonly kind: 'convolution' });

function layerOf(node: Node): Layer | undefined {
  const product = productOf(node);
  if (product) return { kind: 'product', ...product };
  const convolution = convolutionOf(node);
  return convolution && { kind: 'convolution', ...convolution };
}

interface Setting {
  readonly observed: Observed;
  readonly grid: WeightGrid;
  /** Of the tensor that the layer reads. */
  readonly id: string;
  readonly overrides: WeightOverrides | undefined;
}

function correctLayer(layer: Layer, setting: Setting): Outcome {
  const bias = biasPlace(layer.node, layer.outputs);
  if (!bias) return left('no constant bias');
  return layer.kind === 'product' ? correctProduct(layer, bias, setting) : correctConvolution(layer, bias, setting);
}

function correctProduct(product: Product, bias: BiasPlace, { observed, id, ...setting }: Setting): Outcome {
  const rows = sampledRows(observed, id, product.inputs);
  if (!rows || rows.rows < 2) return left('its input was not observed');
  const weight = readWeight(product);
  if (!isFiniteMatrix(weight)) return left(notFinite);
  const error = weightError(weight, product.weight.tensor, setting);
  const gain = heldOutGain(rows, weight, error);
  if (gain.errorAfter >= gain.errorBefore) return left('no gain on rows that were held out');
  const shift = columnMeans(multiply(meanRow(rows), error)).map((mean) => -mean * product.alpha);
  return shifted(bias, shift, gain);
}

function correctConvolution(layer: Convolution, bias: BiasPlace, { observed, id, ...setting }: Setting): Outcome {
  const means = Object.hasOwn(observed.channelMeans ?? {}, id) ? observed.channelMeans?.[id] : undefined;
  if (means?.length !== layer.groups * layer.groupInputs || !means.every(Number.isFinite))
    return left('the means of its input channels are not known');
  const filters = readFilters(layer);
  if (!isFiniteMatrix(filters)) return left(notFinite);
  const error = weightError(filters, layer.weight.tensor, setting);
  const meanOf = (row: number, filter: number): number => means[channelAt(layer, row, filter)] as number;
  const exact = meanOutputs(filters, meanOf);
  const shift = meanOutputs(error, meanOf).map((mean) => -mean);
  const norm = Math.hypot(...exact);
  const errorBefore = norm > 0 ? Math.hypot(...shift) / norm : 0;
  return shifted(bias, shift, { errorBefore, errorAfter: 0 });
}

interface Gain {
  readonly errorBefore: number;
  readonly errorAfter: number;
}

function shifted(bias: BiasPlace, shift: Float64Array, gain: Gain): Outcome {
  const greatest = (values: ArrayLike<number>): number =>
    Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const [most, allowed] = [greatest(shift), largestShift * greatest(bias.values) * Math.abs(bias.factor)];
  if (most === 0) return left('nothing to correct');
  if (!(most <= allowed)) return left('the shift is out of all proportion to the bias');
  shiftBias(bias, shift);
  return { kind: 'applied', how: `shifted the bias of ${bias.node.op}`, ...gain };
}

/** Ŵ − W */
function weightError(weight: Matrix, tensor: Tensor, { grid, overrides }: Pick<Setting, 'grid' | 'overrides'>): Matrix {
  const quantized = dequantize(integersOf(weight, grid, overrides?.get(tensor)));
  return { ...weight, values: quantized.values.map((value, index) => value - (weight.values[index] as number)) };
}

/** The error of the outputs on one half of the rows, without and with the mean error of the other half taken off. */
function heldOutGain(rows: Matrix, weight: Matrix, error: Matrix): Gain {
  const { fitted, held } = halves(rows);
  const columns = spread(weight.columns, measuredColumns);
  const errors = multiply(held, pickColumns(error, columns));
  const means = columnMeans(multiply(meanRow(fitted), pickColumns(error, columns)));
  const rest = {
    ...errors,
    values: errors.values.map((value, index) => value - (means[index % means.length] as number)),
  };
  const norm = squaredNorm(multiply(held, pickColumns(weight, columns)));
  const relative = (matrix: Matrix): number => (norm > 0 ? Math.sqrt(squaredNorm(matrix) / norm) : 0);
  return { errorBefore: relative(errors), errorAfter: relative(rest) };
}

const meanRow = (rows: Matrix): Matrix => ({
  rows: 1,
  columns: rows.columns,
  values: Float32Array.from(columnMeans(rows)),
});

/** Mean of each filter's output, from the means of what it sees. */
function meanOutputs({ rows, columns, values }: Matrix, meanOf: (row: number, filter: number) => number): Float64Array {
  const means = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    for (let filter = 0; filter < columns; filter++)
      means[filter] = (means[filter] as number) + (values[row * columns + filter] as number) * meanOf(row, filter);
  }
  return means;
}
