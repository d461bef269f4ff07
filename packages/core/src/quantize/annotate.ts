import { type ConstantRef, constantOf } from '../analysis/index.ts';
import { type Capability, type EmbeddingScheme, type Feature, holdsOn, type Recipe } from '../backend/index.ts';
import { OptimumError } from '../foundation/index.ts';
import { elementCount, type Model, type Node, type Tensor, walkNodes } from '../ir/index.ts';
import {
  type Decision,
  matchSelectors,
  nodeIds,
  type Plan,
  type PlanEntry,
  type Reason,
  type WeightScheme,
} from '../plan/index.ts';
import { requireNotQuantized } from './already-quantized.ts';

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

/** Tables with fewer elements than this are not worth the operators that read them. */
const smallestTable = 4096;

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
  const excluded = matchSelectors(options.exclude ?? [], selectable);
  const entries = nodes.flatMap((node) => entryOf(node, ids.get(node) as string, excluded, options));
  if (!entries.some(({ decision }) => decision.action !== 'float')) throw nothing(entries);
  const { recipe, features, target } = options;
  return { version: 1, target, features, recipe: recipe.id, valueInfo: recipe.valueInfo, entries };
}

function entryOf(node: Node, id: string, excluded: ReadonlySet<string>, options: AnnotateOptions): PlanEntry[] {
  const weight = weightOf(node);
  // Gather on computed data is no table: most of them pick a dimension out of a shape.
  if (node.op === 'Gather' && !isTable(weight)) return [];
  const decision = excluded.has(id) ? float('excluded', 'excluded by the user') : decide(node, weight, options);
  return [{ id, op: node.op, ...(weight && { weight: weight.dims }), decision }];
}

const isTable = (weight: ConstantRef | undefined): boolean =>
  weight !== undefined &&
  weight.dims.length === 2 &&
  weight.elementType.startsWith('float') &&
  elementCount(weight.dims) >= smallestTable;

function weightOf(node: Node): ConstantRef | undefined {
  const value = node.inputs[node.op === 'Gather' ? 0 : 1];
  return value && constantOf(value);
}

const float = (code: Reason['code'], text: string): Decision => ({ action: 'float', reason: { code, text } });

function decide(node: Node, weight: ConstantRef | undefined, options: AnnotateOptions): Decision {
  const impossible = unfit(node, weight, options.recipe);
  if (impossible) return impossible;
  if (node.op === 'Gather') return decideTable(options);
  const choice = chooseCapability(node.op, options);
  if ('reason' in choice) return { action: 'float', reason: choice.reason };
  return { action: 'matmul', weight: schemeOf(choice.capability, options.recipe), capability: choice.capability.id };
}

/** What keeps a node in float whatever the target: `undefined` when nothing does. */
function unfit(node: Node, weight: ConstantRef | undefined, recipe: Recipe): Decision | undefined {
  if (!recipe.operators.includes(node.op)) {
    return float(
      'recipe',
      `recipe ${recipe.id} treats ${recipe.operators.join(', ')}; int8 ${node.op} is no faster here or needs calibration`,
    );
  }
  if (!weight) return float('not-constant', 'both operands are computed: there is no weight to store in 8 bits');
  if (weight.elementType !== 'float32')
    return float('element-type', `${weight.elementType} activations have no integer kernel`);
  if (!isFloat(weight.tensor)) return float('element-type', `weights of ${weight.tensor.elementType}`);
  if (weight.dims.length !== 2)
    return float('shape', `weights of rank ${weight.dims.length}: integer kernels take matrices`);
  if (weight.dims.some((dim) => dim < 1)) return float('shape', 'empty weights');
  return node.op === 'Gemm' ? unfitGemm(node, recipe) : node.op === 'Gather' ? unfitTable(node, weight) : undefined;
}

const isFloat = (tensor: Tensor): boolean => ['float32', 'float16', 'bfloat16', 'float64'].includes(tensor.elementType);

function unfitGemm(node: Node, recipe: Recipe): Decision | undefined {
  if (node.int('transA', 0) !== 0) return float('attributes', 'transA: the activation is transposed');
  const isPlain = node.float('alpha', 1) === 1 && node.float('beta', 1) === 1;
  if (recipe.weights !== 'by-capability' && !isPlain)
    return float('attributes', 'alpha or beta is not 1, which the reference tool leaves');
  if (node.float('alpha', 1) === 0) return float('attributes', 'alpha is 0');
  return undefined;
}

function unfitTable(node: Node, weight: ConstantRef): Decision | undefined {
  if (node.int('axis', 0) !== 0) return float('attributes', 'a lookup along another axis than the first');
  return weight.transposed ? float('shape', 'a transposed table') : undefined;
}

function decideTable({ recipe, capabilities, features }: AnnotateOptions): Decision {
  if (recipe.embeddings === 'float') return float('recipe', `recipe ${recipe.id} leaves tables in float`);
  const table = tableScheme(recipe.embeddings);
  const capability = capabilities.find(
    (claim) =>
      claim.op === 'Gather' &&
      claim.weight === table.elementType &&
      claim.granularity.includes(table.granularity) &&
      holdsOn(claim, features),
  );
  if (!capability)
    return float('no-capability', `the runtime claims no ${table.elementType} table lookup for this target`);
  return { action: 'embedding', table, capability: capability.id };
}

const tableScheme = (scheme: Exclude<EmbeddingScheme, 'float'>) =>
  scheme === 'int8-row'
    ? ({ elementType: 'int8', granularity: 'row' } as const)
    : ({ elementType: 'uint8', granularity: 'tensor' } as const);

function chooseCapability(op: string, options: AnnotateOptions): { capability: Capability } | { reason: Reason } {
  const { recipe, features } = options;
  const wanted = recipe.weights === 'by-capability' ? undefined : recipe.weights.split('-');
  const claims = options.capabilities
    .filter(
      (claim) => claim.op === (op === 'Gemm' ? 'MatMul' : op) && claim.mode === 'dynamic' && holdsOn(claim, features),
    )
    .filter((claim) => !wanted || (claim.weight === wanted[0] && claim.granularity.includes(wanted[1] as 'channel')))
    .sort((a, b) => b.speed - a.speed);
  const best = claims[0];
  if (!best)
    return { reason: { code: 'no-capability', text: `the runtime claims no dynamic int8 ${op} for this target` } };
  if (recipe.onlyIfFaster && best.speed <= 1) {
    return { reason: { code: 'no-faster', text: `${best.id} runs at ${best.speed}× of float32 on this target` } };
  }
  return { capability: best };
}

function schemeOf(capability: Capability, recipe: Recipe): WeightScheme {
  const elementType = capability.weight === 'uint8' ? 'uint8' : 'int8';
  if (recipe.weights !== 'by-capability') {
    return { elementType, granularity: recipe.weights.endsWith('channel') ? 'channel' : 'tensor', range: 'full' };
  }
  const granularity = capability.granularity.includes('channel') ? 'channel' : 'tensor';
  return { elementType, granularity, range: capability.exact === 'pair-rule' ? 'pair-aware' : 'full' };
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
  });
}
