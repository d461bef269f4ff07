import { type ConstantRef, constantOf } from '../analysis/index.ts';
import type { Capability, Feature, Recipe } from '../backend/index.ts';
import { OptimumError } from '../foundation/index.ts';
import { elementCount, type Model, type Node, walkNodes } from '../ir/index.ts';
import { type Decision, matchSelectors, nodeIds, type Plan, type PlanEntry } from '../plan/index.ts';
import { requireNotQuantized } from './already-quantized.ts';
import { chooseScheme } from './choose-scheme.ts';
import { float, unfit } from './unfit.ts';

export interface AnnotateOptions {
  readonly capabilities: readonly Capability[];
  readonly features: readonly Feature[];
  readonly recipe: Recipe;
  /** Target id, recorded in the plan. */
  readonly target: string;
  /** Selectors of nodes that stay float. */
  readonly exclude?: readonly string[] | undefined;
}

/** Operators with weights that a user may wonder about; they get an entry even when nothing can be done for them. */
const watched = new Set([
  'MatMul',
  'Gemm',
  'Gather',
  'Conv',
  'ConvTranspose',
  'LSTM',
  'GRU',
  'RNN',
  'Attention',
  'MultiHeadAttention',
  'FusedMatMul',
  'EmbedLayerNormalization',
  'Einsum',
]);

/** What a decision depends on beside the node. */
interface Surroundings {
  readonly opset: number;
  /** Nodes of model-local functions: a function holds no weights of its own. */
  readonly inFunction: ReadonlySet<Node>;
  readonly excluded: ReadonlySet<string>;
}

/**
 * Decides for every operator with weights how it is quantized, or why not: from what the capabilities say of the
 * features at hand and from the recipe. Reads no payload. Pure.
 * @throws E_ALREADY_QUANTIZED, E_NOTHING_TO_QUANTIZE, E_USAGE for selectors that match nothing
 */
export function annotate(model: Model, options: AnnotateOptions): Plan {
  requireNotQuantized(model);
  const ids = nodeIds(model);
  const nodes = [...walkNodes(model)].filter(({ op }) => watched.has(op));
  const selectable = nodes.map((node) => ({ id: ids.get(node) as string, op: node.op }));
  const where: Surroundings = {
    opset: model.opset() ?? 1,
    inFunction: new Set(model.functions.flatMap(({ body }) => [...walkNodes(body)])),
    excluded: matchSelectors(options.exclude ?? [], selectable),
  };
  const entries = nodes.flatMap((node) => entryOf(node, ids.get(node) as string, options, where));
  if (!entries.some(({ decision }) => decision.action !== 'float')) throw nothing(entries);
  const { recipe, features, target } = options;
  return { version: 1, target, features, recipe: recipe.id, valueInfo: recipe.valueInfo, entries };
}

function entryOf(node: Node, id: string, options: AnnotateOptions, where: Surroundings): PlanEntry[] {
  const weight = weightOf(node, options.recipe);
  // Gather on computed data is no table: most of them pick a dimension out of a shape.
  if (node.op === 'Gather' && !isTable(weight, options.recipe)) return [];
  return [
    { id, op: node.op, ...(weight && { weight: weight.dims }), decision: decide(node, id, weight, options, where) },
  ];
}

function decide(
  node: Node,
  id: string,
  weight: ConstantRef | undefined,
  options: AnnotateOptions,
  { opset, inFunction, excluded }: Surroundings,
): Decision {
  if (excluded.has(id)) return float('excluded', 'excluded by the user');
  if (inFunction.has(node)) return float('function', 'inside a model-local function, which holds no weights');
  return unfit(node, weight, options.recipe) ?? chooseScheme(node, opset, options);
}

const isTable = (weight: ConstantRef | undefined, recipe: Recipe): boolean =>
  weight !== undefined &&
  (weight.dims.length === 2 || recipe.embeddings === 'uint8-tensor') &&
  weight.elementType.startsWith('float') &&
  elementCount(weight.dims) >= Math.max(1, recipe.smallestTable);

/** The weight that a node reads, if the recipe looks for weights where it is. */
function weightOf(node: Node, recipe: Recipe): ConstantRef | undefined {
  const value = node.inputs[node.op === 'Gather' ? 0 : 1];
  const weight = value && constantOf(value);
  if (recipe.weightsFrom === 'anywhere') return weight;
  const isMain = node.graph !== undefined && node.graph.owner === undefined;
  return isMain && value && value.origin.kind !== 'output' ? weight : undefined;
}

function nothing(entries: readonly PlanEntry[]): OptimumError {
  const reasons = new Map<string, number>();
  for (const { op, decision } of entries) {
    if (decision.action !== 'float') continue;
    const key = `${op}: ${decision.reason.text}`;
    reasons.set(key, (reasons.get(key) ?? 0) + 1);
  }
  const list = [...reasons].map(([text, count]) => `${count} × ${text}`);
  const why = list.length > 0 ? list.join('; ') : 'it has no MatMul, Gemm or embedding table';
  return new OptimumError('E_NOTHING_TO_QUANTIZE', `Nothing in this model can be made integer: ${why}.`, {
    context: { reasons: Object.fromEntries(reasons) },
    hint: 'Leave it as it is; optimum inspect lists its operators and weights.',
  });
}
