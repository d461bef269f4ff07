import { type ConstantRef, constantOf, inferTypes } from '../analysis/index.ts';
import type { Capability, Feature, Recipe } from '../backend/index.ts';
import { OptimumError } from '../foundation/index.ts';
import { elementCount, type Model, type Node, walkNodes } from '../ir/index.ts';
import { type Decision, matchSelectors, nodeIds, type Plan, type PlanEntry, type StaticForm } from '../plan/index.ts';
import { requireNotQuantized } from './already-quantized.ts';
import { chooseScheme } from './choose-scheme.ts';
import { decideStatic, type StaticOptions, schemeOfRecipe } from './decide-static.ts';
import { type Placement, placementOf } from './placement/index.ts';
import { planActivations } from './plan-activations.ts';
import { firstFusibleOpset } from './static-context.ts';
import { float, unfit } from './unfit.ts';

export interface AnnotateOptions {
  readonly capabilities: readonly Capability[];
  readonly features: readonly Feature[];
  readonly recipe: Recipe;
  /** Target id, recorded in the plan. */
  readonly target: string;
  /** Selectors of nodes that stay float. */
  readonly exclude?: readonly string[] | undefined;
  /**
   * How static integers are written. @defaultValue 'qdq'; 'qoperator' where the opset is older than the operators that
   * the runtime would fuse into
   */
  readonly form?: StaticForm | undefined;
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
interface Surroundings extends StaticOptions {
  /** Nodes of model-local functions: a function holds no weights of its own. */
  readonly inFunction: ReadonlySet<Node>;
  readonly excluded: ReadonlySet<string>;
}

/**
 * Decides for every operator with weights how it is quantized, or why not: from what the capabilities say of the
 * features at hand and from the recipe; for static quantization also which activations are integers, and where their
 * ranges come from. Reads no payload but small constants. Pure.
 * @throws E_ALREADY_QUANTIZED, E_NOTHING_TO_QUANTIZE, E_USAGE for selectors that match nothing
 */
export function annotate(model: Model, options: AnnotateOptions): Plan {
  requireNotQuantized(model);
  const { recipe, features, target } = options;
  const ids = nodeIds(model);
  const nodes = [...walkNodes(model)].filter((node) => isCandidate(node, recipe));
  const selectable = nodes.map((node) => ({ id: ids.get(node) as string, op: node.op }));
  const where: Surroundings = {
    ...options,
    model,
    opset: model.opset() ?? 1,
    // Inference is not asked for unless a decision turns on it.
    typeOf: (value) => inferTypes(model).typeOf(value),
    inFunction: new Set(model.functions.flatMap(({ body }) => [...walkNodes(body)])),
    excluded: matchSelectors(options.exclude ?? [], selectable),
  };
  const decided = nodes.flatMap((node) => entryOf(node, ids.get(node) as string, where));
  const form = options.form ?? (where.opset < firstFusibleOpset ? 'qoperator' : 'qdq');
  const { entries, ...statics } = withActivations(model, decided, recipe, form);
  if (!entries.some(({ decision }) => decision.action !== 'float')) throw nothing(entries);
  return { version: 1, target, features, recipe: recipe.id, valueInfo: recipe.valueInfo, entries, ...statics };
}

const isCandidate = (node: Node, { mode, operators }: Recipe): boolean =>
  watched.has(node.op) || (mode !== 'dynamic' && operators.includes(node.op) && placementOf(node) !== undefined);

interface Decided {
  readonly node: Node;
  readonly entry: PlanEntry;
}

function entryOf(node: Node, id: string, where: Surroundings): Decided[] {
  const { recipe } = where;
  const weight = weightOf(node, recipe);
  // Gather on computed data is no table: most of them pick a dimension out of a shape.
  const isTable = node.op === 'Gather' && isTableOf(weight, recipe);
  if (node.op === 'Gather' && !isTable && recipe.mode === 'dynamic') return [];
  const decision = decide(node, id, isTable, weight, where);
  // Operators without weights are there because others are: only those that become integer are worth a word.
  const isSilent = !isTable && (node.op === 'Gather' || !watched.has(node.op)) && !isTold(decision);
  return isSilent ? [] : [{ node, entry: { id, op: node.op, ...(weight && { weight: weight.dims }), decision } }];
}

const isTold = (decision: Decision): boolean =>
  decision.action !== 'float' || ['excluded', 'attributes', 'no-faster'].includes(decision.reason.code);

function decide(
  node: Node,
  id: string,
  isTable: boolean,
  weight: ConstantRef | undefined,
  where: Surroundings,
): Decision {
  const { recipe } = where;
  if (where.excluded.has(id)) return float('excluded', 'excluded by the user');
  if (where.inFunction.has(node)) return float('function', 'inside a model-local function, which holds no weights');
  const whileItRuns = (): Decision => unfit(node, weight, recipe) ?? chooseScheme(node, where);
  if (recipe.mode === 'dynamic' || isTable) return whileItRuns();
  const calibrated = decideStatic(node, weight, where);
  return recipe.mode === 'auto' && hasWeight(node) ? faster(whileItRuns(), calibrated, where) : calibrated;
}

const hasWeight = (node: Node): boolean => placementOf(node)?.order === 'weighted';

/** The decision with the higher claim. On a tie the dynamic one, which needs no data. */
function faster(dynamic: Decision, calibrated: Decision, { capabilities }: Surroundings): Decision {
  if (calibrated.action === 'float') return dynamic.action === 'float' ? calibrated : dynamic;
  if (dynamic.action === 'float') return calibrated;
  const speedOf = ({ capability }: { readonly capability: string }): number =>
    capabilities.find(({ id }) => id === capability)?.speed ?? 0;
  return speedOf(calibrated) > speedOf(dynamic) ? calibrated : dynamic;
}

/** The plan's entries once it is known which values are integers; movers that turned out not to be between such go. */
function withActivations(
  model: Model,
  decided: readonly Decided[],
  recipe: Recipe,
  form: StaticForm,
): Pick<Plan, 'entries' | 'activations' | 'form'> {
  const statics = new Map(
    decided
      .filter(({ entry }) => entry.decision.action === 'static')
      .map(({ node }) => [node, placementOf(node) as Placement]),
  );
  if (statics.size === 0) return { entries: decided.map(({ entry }) => entry) };
  const { nodes, activations } = planActivations(model, statics, {
    scheme: schemeOfRecipe(recipe),
    form,
    everyOutput: recipe.reach === 'all',
  });
  const entries = decided.flatMap(({ node, entry }) => {
    if (!statics.has(node)) return [entry];
    const tensors = nodes.get(node);
    return tensors ? [{ ...entry, ...tensors }] : [];
  });
  return { entries, activations, form };
}

const isTableOf = (weight: ConstantRef | undefined, recipe: Recipe): boolean =>
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
