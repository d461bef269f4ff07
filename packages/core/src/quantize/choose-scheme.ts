import { type Capability, type EmbeddingScheme, type Feature, holdsOn, type Recipe } from '../backend/index.ts';
import type { Node } from '../ir/index.ts';
import type { Decision, WeightScheme } from '../plan/index.ts';
import { float } from './unfit.ts';

export interface SchemeOptions {
  /** Of the standard domain. */
  readonly opset: number;
  readonly capabilities: readonly Capability[];
  readonly features: readonly Feature[];
  readonly recipe: Recipe;
}

/** How a node that fits is quantized while it runs: the fastest claim that holds here and that the recipe allows. */
export function chooseScheme(node: Node, options: SchemeOptions): Decision {
  return node.op === 'Gather' ? chooseTable(options) : chooseProduct(node.op, options);
}

function chooseTable({ opset, recipe, capabilities, features }: SchemeOptions): Decision {
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
  if (opset < capability.opset) return tooOld(capability, opset);
  return { action: 'embedding', table, capability: capability.id };
}

const tableScheme = (scheme: Exclude<EmbeddingScheme, 'float'>) =>
  scheme === 'int8-row'
    ? ({ elementType: 'int8', granularity: 'row' } as const)
    : ({ elementType: 'uint8', granularity: 'tensor' } as const);

function chooseProduct(op: string, { opset, recipe, features, capabilities }: SchemeOptions): Decision {
  const claimed = op === 'Gemm' ? 'MatMul' : op;
  const best = capabilities
    .filter((claim) => claim.op === claimed && claim.mode === 'dynamic' && holdsOn(claim, features))
    .filter((claim) => isAllowed(claim, recipe))
    .sort((a, b) => b.speed - a.speed)[0];
  if (!best) return float('no-capability', `the runtime claims no dynamic int8 ${op} for this target`);
  if (recipe.onlyIfFaster && best.speed <= 1)
    return float('no-faster', `${best.id} runs at ${best.speed}× of float32 on this target`);
  // Products of older opsets are served by the runtime's own fused operator.
  if (op === 'Conv' && opset < best.opset) return tooOld(best, opset);
  return { action: op === 'Conv' ? 'conv' : 'matmul', weight: schemeOf(best, recipe), capability: best.id };
}

const tooOld = (capability: Capability, opset: number): Decision =>
  float('opset', `${capability.id} needs opset ${capability.opset}, the model has ${opset}`);

/** Filters of ConvInteger have one scale, whatever is asked of the other weights. */
function isAllowed({ op, weight, granularity }: Capability, recipe: Recipe): boolean {
  const reached = op === 'Conv' ? (['tensor', 'channel'] as const) : granularity;
  return isAllowedWeight({ weight, granularity: reached }, recipe);
}

/** True when the recipe takes weights as the claim has them. */
export function isAllowedWeight(
  { weight, granularity }: Pick<Capability, 'weight' | 'granularity'>,
  { weights }: Recipe,
): boolean {
  if (weights === 'by-capability') return true;
  const [elementType, wanted] = weights.split('-') as [string, 'channel' | 'tensor'];
  return weight === elementType && granularity.includes(wanted);
}

export function schemeOf(capability: Capability, recipe: Recipe): WeightScheme {
  const { weight } = capability;
  const elementType = weight === 'uint8' || weight === 'int4' ? weight : 'int8';
  const isByCapability = recipe.weights === 'by-capability';
  const wantsChannels = isByCapability || recipe.weights.endsWith('channel');
  const granularity = wantsChannels && capability.granularity.includes('channel') ? 'channel' : 'tensor';
  const range = isByCapability && capability.exact === 'pair-rule' ? 'pair-aware' : 'full';
  return { elementType, granularity, range };
}
