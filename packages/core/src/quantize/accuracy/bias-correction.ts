import type { Model } from '../../ir/index.ts';
import type { ObservationRequest } from '../../observe/index.ts';
import { editableGraphs } from '../../passes/editable-graphs.ts';
import { nodeIds, type Plan, valueIds } from '../../plan/index.ts';
import type { WeightOverrides } from '../weight-override.ts';
import { type AppliedAlgorithm, left, type Outcome, summarise } from './applied-algorithm.ts';
import { type BiasPlace, biasPlace, shiftBias } from './bias-place.ts';
import { type Convolution, convolutionOf } from './convolution.ts';
import { convolutionErrors } from './convolution-error.ts';
import type { WeightGrid } from './emulate-product.ts';
import { columnMeans, halves, type Matrix, multiply, pickColumns, spread, squaredNorm } from './matrix.ts';
import { type Observed, sampledRowCount, sampledRows } from './observed.ts';
import { isFiniteMatrix, notFinite, type Product, productOf, productsOf, readWeight } from './product.ts';
import { gridsOf, weightError } from './quantized-layer.ts';

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

/**
 * What has to be observed for `biasCorrection` of MatMul and Gemm: rows of every tensor that products with a bias read. For
 * convolutions see `convolutionErrorRequests`.
 */
export function biasCorrectionRequests(model: Model): ObservationRequest[] {
  const ids = valueIds(model);
  return productsOf(model)
    .filter(({ node, outputs }) => biasPlace(node, outputs))
    .flatMap(({ source }) => ids.get(source) ?? [])
    .map((tensor) => ({ tensor, detail: 'range', rows: sampledRowCount }));
}

/**
 * Rounding weights shifts the mean of each output channel: takes that off the layer's bias, where the error falls on rows
 * that the mean was not taken from. For products the shift is E[(Ŵ − W) · x] over sampled rows. For convolutions it is the
 * mean of the output error that the runtime computed (`addConvolutionErrors`): the means of the input channels would take
 * padding for data, which is wrong by a third for the outer rows of a 3 × 3 kernel on a map of three rows, and the error
 * itself costs no more than another pass over the data. Changes biases of `model`, which is no longer the float model
 * then: it is right for the integer weights only.
 * @source Nagel et al. 2019, Data-Free Quantization Through Weight Equalization and Bias Correction, arXiv 1906.04721,
 * section 4.2, with empirical means
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
    const id = ids.nodes.get(node) ?? '';
    const grid = gridOf(id);
    const product = productOf(node);
    const convolution = convolutionOf(node);
    if (!grid) return [];
    if (convolution) return [correctConvolution(convolution, id, observed)];
    const setting = { observed, grid, overrides: options.overrides };
    return product ? [correctProduct(product, ids.values.get(product.source) ?? '', setting)] : [];
  });
  return summarise('bias-correction', outcomes);
}

interface Setting {
  readonly observed: Observed;
  readonly grid: WeightGrid;
  readonly overrides: WeightOverrides | undefined;
}

const noBias = left('no constant bias');

/** @param source id of the tensor that the product reads */
function correctProduct(product: Product, source: string, { observed, grid, overrides }: Setting): Outcome {
  const bias = biasPlace(product.node, product.outputs);
  if (!bias) return noBias;
  const rows = sampledRows(observed, source, product.inputs);
  if (!rows || rows.rows < 2) return left('its input was not observed');
  const weight = readWeight(product);
  if (!isFiniteMatrix(weight)) return left(notFinite);
  const error = weightError(weight, grid, overrides?.get(product.weight.tensor));
  const gain = heldOutGain(rows, weight, error);
  if (gain.errorAfter >= gain.errorBefore) return left('no gain on rows that were held out');
  const shift = columnMeans(multiply(meanRow(rows), error)).map((mean) => -mean * product.alpha);
  return shifted(bias, shift, gain);
}

/** @param id of the node */
function correctConvolution({ node, outputs }: Convolution, id: string, observed: Observed): Outcome {
  const bias = biasPlace(node, outputs);
  if (!bias) return noBias;
  const seen = convolutionErrors(observed, id, outputs);
  if (!seen || seen.errors.rows < 2) return left('its output error was not observed');
  const gain = gainOnHeld(seen.errors, squaredNorm(seen.outputs) / seen.outputs.rows);
  if (gain.errorAfter >= gain.errorBefore) return left('no gain on images that were held out');
  return shifted(
    bias,
    columnMeans(seen.errors).map((mean) => -mean),
    gain,
  );
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

/** The error of the outputs on one half of the rows, without and with the mean error of the other half taken off. */
function heldOutGain(rows: Matrix, weight: Matrix, error: Matrix): Gain {
  const columns = spread(weight.columns, measuredColumns);
  const { held } = halves(rows);
  const outputs = multiply(held, pickColumns(weight, columns));
  return gainOnHeld(multiply(rows, pickColumns(error, columns)), squaredNorm(outputs) / held.rows);
}

/** @param energy mean over the rows of the squared norm of the outputs */
function gainOnHeld(errors: Matrix, energy: number): Gain {
  const { fitted, held } = halves(errors);
  const means = columnMeans(fitted);
  const rest = { ...held, values: held.values.map((value, index) => value - (means[index % means.length] as number)) };
  const relative = (matrix: Matrix): number =>
    energy > 0 ? Math.sqrt(squaredNorm(matrix) / (matrix.rows * energy)) : 0;
  return { errorBefore: relative(held), errorAfter: relative(rest) };
}

const meanRow = (rows: Matrix): Matrix => ({
  rows: 1,
  columns: rows.columns,
  values: Float32Array.from(columnMeans(rows)),
});
