import { constantOf } from '../analysis/index.ts';
import type { CostTable, KernelShape } from '../backend/index.ts';
import type { Model, Node, Value } from '../ir/index.ts';
import { nodeUs, productTime, runUs, timeOf } from './cost-model.ts';
import {
  attentionOf,
  elementwiseShape,
  type KernelUse,
  kernelsOf,
  type ShapeOf,
  weightedProductOf,
} from './operator-kernels.ts';

/** Predicted time of one node. */
export interface PredictedNode {
  readonly node: Node;
  /** As it is. */
  readonly floatUs: number;
  /** In the form that it gets. The same where it stays as it is. */
  readonly plannedUs: number;
}

export interface PredictedSpeed {
  /** Of one run, with one thread, in microseconds. */
  readonly floatUs: number;
  readonly plannedUs: number;
  /** Times as fast. */
  readonly speedup: number;
  readonly nodes: readonly PredictedNode[];
}

export interface PredictOptions {
  readonly table: CostTable;
  /** Dims of a value, as they occur in the run. */
  readonly shapeOf: ShapeOf;
  /** Which matrix products become dynamic integer ones. */
  readonly isQuantized: (node: Node) => boolean;
  /**
   * True where the runtime no longer fuses what it fused in the float model, because it cannot prove the shapes any more.
   */
  readonly splitsSkipLayerNorm?: boolean;
}

const integerKernel = 'matmul-u8s8-dynamic';

/**
 * Predicted time of a model as it is, and with some of its products quantized while it runs: the sum of its operators, each
 * as the table has its kernel. It should be the graph that the runtime really runs, in which what it fuses is fused. Pure.
 */
export function predictSpeed(model: Model, options: PredictOptions): PredictedSpeed {
  const { table } = options;
  const nodes = [...model.graph.nodes()].filter(isRun);
  const context = { ...options, counts: weightCounts(nodes, options), shared: sharedQuantizations(nodes, options) };
  const predicted = nodes.map((node) => predictNode(node, context));
  const total = (one: (node: PredictedNode) => number): number =>
    runUs(table) + predicted.reduce((sum, node) => sum + one(node), 0);
  const [floatUs, plannedUs] = [total((node) => node.floatUs), total((node) => node.plannedUs)];
  return { floatUs, plannedUs, speedup: floatUs / plannedUs, nodes: predicted };
}

/** The runtime computes what depends on no input when it loads. */
const isRun = (node: Node): boolean =>
  node.op !== 'Constant' && (node.inputs.length === 0 || node.inputs.some((value) => value && !constantOf(value)));

interface Context extends PredictOptions {
  readonly counts: WeightCounts;
  readonly shared: ReadonlyMap<Node, number>;
}

interface WeightCounts {
  /** Weights of all products in the float model. */
  readonly float: number;
  /** Those that are 8 bits wide in the planned one. */
  readonly integer: number;
}

function weightCounts(nodes: readonly Node[], { shapeOf, isQuantized }: PredictOptions): WeightCounts {
  const counts = { float: 0, integer: 0 };
  for (const node of nodes) {
    const shape = weightedProductOf(node, shapeOf);
    if (!shape) continue;
    counts.float += shape.depth * shape.columns;
    if (isQuantized(node)) counts.integer += shape.depth * shape.columns;
  }
  return counts;
}

/** Part of the quantization of its input that a product pays: products that read the same value share one. */
function sharedQuantizations(
  nodes: readonly Node[],
  { shapeOf, isQuantized }: PredictOptions,
): ReadonlyMap<Node, number> {
  const readers = new Map<Value, Node[]>();
  for (const node of nodes) {
    const source = node.inputs[0];
    if (source && weightedProductOf(node, shapeOf) && isQuantized(node))
      readers.set(source, [...(readers.get(source) ?? []), node]);
  }
  return new Map([...readers.values()].flatMap((group) => group.map((node) => [node, 1 / group.length] as const)));
}

function predictNode(node: Node, context: Context): PredictedNode {
  const { shapeOf, isQuantized } = context;
  const uses = kernelsOf(node, shapeOf);
  const floatUs = timeOfUses(uses, context);
  const shape = weightedProductOf(node, shapeOf);
  if (shape && isQuantized(node)) {
    const attention = node.op === 'Attention' ? attentionOf(node, 'attention-unfused', shapeOf) : [];
    return { node, floatUs, plannedUs: integerUs(node, shape, context) + timeOfUses(attention, context) };
  }
  return { node, floatUs, plannedUs: otherUs(node, uses, floatUs, context) };
}

const timeOfUses = (uses: readonly KernelUse[], { table, counts }: Context): number =>
  uses.reduce((sum, { kernel, shape, count, weights }) => {
    const us = weights > 0 ? productTime(table, kernel, shape, counts.float) : timeOf(table, kernel, shape);
    return sum + count * (us ?? nodeUs(table));
  }, 0);

function integerUs(node: Node, shape: KernelShape, { table, counts, shared }: Context): number {
  const us = productTime(table, integerKernel, shape, counts.integer) ?? 0;
  const quantizeUs = timeOf(table, 'quantize-dynamic', elementwiseShape(shape.rows * shape.depth)) ?? 0;
  return us - quantizeUs * (1 - (shared.get(node) ?? 1));
}

/** What stays float: as it is, but for biases that integer products take along, and normalizations that fall apart. */
function otherUs(node: Node, uses: readonly KernelUse[], floatUs: number, context: Context): number {
  if (isTakenAlong(node, context)) return 0;
  if (node.op !== 'SkipLayerNormalization' || !context.splitsSkipLayerNorm) return floatUs;
  const apart = uses.flatMap(({ shape, ...use }) => [
    { ...use, kernel: 'layer-norm', shape },
    { ...use, kernel: 'add', shape: elementwiseShape(shape.rows * shape.columns) },
  ]);
  return timeOfUses(apart, context);
}

/** An Add of a constant row behind a quantized product, whose result nothing else reads. */
function isTakenAlong(node: Node, { isQuantized }: Context): boolean {
  if (!node.is('Add')) return false;
  const product = node.inputs.map((value) => value?.producer).find((producer) => producer && isQuantized(producer));
  const bias = node.inputs.find((value) => value && constantOf(value)?.dims.length === 1);
  return product !== undefined && bias !== undefined && product.outputs[0]?.uses.size === 1;
}
