import { type Capability, type Feature, holdsOn, type Recipe } from '../backend/index.ts';
import type { Node } from '../ir/index.ts';
import type { Decision } from '../plan/index.ts';
import { isAllowedWeight } from './choose-scheme.ts';

/** Whether one claim of the runtime serves a node, and why not. */
export interface ExplainedClaim {
  readonly id: string;
  readonly mode: Capability['mode'];
  readonly weight: string;
  /** Throughput against float32, as claimed. */
  readonly speed: number;
  readonly verdict: 'chosen' | 'fits' | 'refused';
  readonly why: string;
}

export interface ExplainClaimsOptions {
  readonly capabilities: readonly Capability[];
  /** Of the target. */
  readonly features: readonly Feature[];
  readonly recipe: Recipe;
  /** Of the standard domain. */
  readonly opset: number;
  readonly decision: Decision | undefined;
}

/** Every claim about an operator, with its verdict: chosen first, then those that fit. Pure. */
export function explainClaims(node: Node, options: ExplainClaimsOptions): ExplainedClaim[] {
  const claimed = node.op === 'Gemm' ? ['Gemm', 'MatMul'] : [node.op];
  const order = ['chosen', 'fits', 'refused'];
  return options.capabilities
    .filter(({ op }) => claimed.includes(op))
    .map((claim) => explainClaim(claim, node, options))
    .sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict) || b.speed - a.speed);
}

function explainClaim(claim: Capability, node: Node, options: ExplainClaimsOptions): ExplainedClaim {
  const { id, mode, weight, speed } = claim;
  const { decision } = options;
  const shown = { id, mode, weight, speed };
  if (decision && decision.action !== 'float' && decision.capability === id)
    return { ...shown, verdict: 'chosen', why: claim.source };
  const why = filtersText(claim, node) ?? refusalOf(claim, options);
  return why === undefined
    ? { ...shown, verdict: 'fits', why: 'it would do, and another one is faster or comes first' }
    : { ...shown, verdict: 'refused', why };
}

function refusalOf(claim: Capability, { features, recipe, opset }: ExplainClaimsOptions): string | undefined {
  if (!holdsOn(claim, features)) return featuresText(claim, features);
  if (claim.mode !== recipe.mode && !(recipe.mode === 'auto' && claim.mode !== 'weight-only') && claim.op !== 'Gather')
    return `it is ${claim.mode}, and recipe ${recipe.id} is ${recipe.mode}`;
  if (opset < claim.opset) return `it needs opset ${claim.opset}, and the model has ${opset}`;
  if (claim.op !== 'Gather' && !isAllowedWeight(claim, recipe))
    return `recipe ${recipe.id} wants ${recipe.weights} weights`;
  if (recipe.onlyIfFaster && claim.speed <= 1 && claim.op !== 'Gather')
    return `it runs at ${claim.speed}× of float32, and recipe ${recipe.id} quantizes only what gets faster`;
  return undefined;
}

function filtersText({ filters }: Capability, node: Node): string | undefined {
  const isGrouped = node.int('group', 1) > 1;
  if (filters === undefined || (filters === 'depthwise') === isGrouped) return undefined;
  return filters === 'depthwise' ? 'it is for one filter to each channel' : 'it is not for one filter to each channel';
}

function featuresText({ requires, unless = [] }: Capability, features: readonly Feature[]): string {
  const better = unless.filter((feature) => features.includes(feature));
  if (better.length > 0) return `with ${better.join(', ')} there is a better kernel`;
  const missing = requires.map((set) => set.filter((feature) => !features.includes(feature)).join(' and '));
  return `the target lacks ${missing.join(', or ')}`;
}
