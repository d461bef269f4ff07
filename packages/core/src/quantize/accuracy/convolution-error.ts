import { addNode, float32Tensor, type Model, type Value } from '../../ir/index.ts';
import type { ObservationRequest } from '../../observe/index.ts';
import { editableGraphs } from '../../passes/editable-graphs.ts';
import { nodeIds, type Plan } from '../../plan/index.ts';
import { biasPlace } from './bias-place.ts';
import { type Convolution, convolutionOf, readFilters, storedFilters } from './convolution.ts';
import type { WeightGrid } from './emulate-product.ts';
import type { Matrix } from './matrix.ts';
import { type Observed, sampledRowCount, sampledRows } from './observed.ts';
import { isFiniteMatrix } from './product.ts';
import { gridsOf, weightError } from './quantized-layer.ts';

/** Which convolutions become integer, and how. */
export interface ConvolutionErrorOptions {
  /** @defaultValue all of them, int8 by channel */
  readonly plan?: Plan | undefined;
}

/** What is asked for by `convolutionErrorRequests`: means over each image, [images, outputs]. */
export interface ConvolutionErrors {
  /** Of what integer weights add to the outputs. */
  readonly errors: Matrix;
  /** Of the float outputs themselves. */
  readonly outputs: Matrix;
}

/**
 * What has to be observed for `biasCorrection` of convolutions, of a model that `addConvolutionErrors` was applied to with
 * the same options.
 */
export const convolutionErrorRequests = (model: Model, options: ConvolutionErrorOptions = {}): ObservationRequest[] =>
  subjectsOf(model, options)
    .flatMap(({ id }) => [errorName(id), outputName(id)])
    .map((tensor) => ({ tensor, detail: 'range', rows: sampledRowCount }));

/**
 * Adds to each convolution with a bias another one, whose filters are what integer weights are off by, and the means of
 * both over each image. So the runtime itself tells the error of the outputs, with the padding, strides and dilations of
 * the node. Changes `model`, which then holds its filters a second time; what it computes stays.
 */
export function addConvolutionErrors(model: Model, options: ConvolutionErrorOptions = {}): void {
  for (const { id, convolution, grid } of subjectsOf(model, options)) {
    const filters = readFilters(convolution);
    // Without a tensor to observe, the layer is left as it is.
    if (!isFiniteMatrix(filters)) continue;
    addError(id, convolution, weightError(filters, grid));
  }
}

/** `undefined` where they were not observed. */
export function convolutionErrors(observed: Observed, id: string, outputs: number): ConvolutionErrors | undefined {
  const [errors, means] = [errorName(id), outputName(id)].map((name) => sampledRows(observed, name, outputs));
  return errors && means && { errors, outputs: means };
}

interface Subject {
  readonly id: string;
  readonly convolution: Convolution;
  readonly grid: WeightGrid;
}

function subjectsOf(model: Model, { plan }: ConvolutionErrorOptions): Subject[] {
  const ids = nodeIds(model);
  const gridOf = gridsOf(plan);
  const nodes = editableGraphs(model).flatMap((graph) => [...graph.nodes()]);
  return nodes.flatMap((node) => {
    const convolution = convolutionOf(node);
    const id = ids.get(node) as string;
    const grid = convolution && gridOf(id);
    return convolution && grid && biasPlace(node, convolution.outputs) ? [{ id, convolution, grid }] : [];
  });
}

const errorName = (id: string): string => `optimum.error.${id}`;
const outputName = (id: string): string => `optimum.output.${id}`;

function addError(id: string, convolution: Convolution, difference: Matrix): void {
  const { node, source, weight } = convolution;
  const { graph } = node;
  if (!graph) return;
  const filters = graph.addInitializer(float32Tensor(weight.dims, storedFilters(convolution, difference)));
  const { attributes } = node;
  const [error] = addNode(graph, 'Conv', { inputs: [source, filters], attributes }).outputs;
  addMeans(error as Value, errorName(id));
  addMeans(node.outputs[0] as Value, outputName(id));
}

/** [images, channels, …] to the means over each image, [images, channels], in operators that every opset has. */
function addMeans(value: Value, name: string): void {
  const graph = value.producer?.graph;
  if (!graph) return;
  const pooled = addNode(graph, 'GlobalAveragePool', { inputs: [value] }).outputs;
  const [means] = addNode(graph, 'Flatten', { inputs: pooled }).outputs;
  if (means) means.name = name;
}
