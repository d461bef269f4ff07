import type { Capability, Recipe } from '@optimum/core';
import { elementwiseSubject } from './elementwise-subjects.ts';
import { frame, moverSubject } from './mover-subjects.ts';
import { type Data, productSubject, productsOf, type Trial } from './product-subjects.ts';
import type { Subject } from './subject.ts';
import { tableSubjects } from './table-subjects.ts';
import { blockTableSubjects, matrixSubjects } from './weight-only-subjects.ts';

/** One model that proves a part of a claim. */
export interface Proof {
  readonly claim: Capability;
  readonly subjects: readonly Subject[];
  /** How the planner is told to quantize it; absent for models that are written as they are. */
  readonly recipe?: Recipe;
  /** Claims beside the one that is proven: of the operators around it. */
  readonly beside?: readonly Capability[];
  /** Element types and granularity that the stored weights must have. */
  readonly granularity?: 'tensor' | 'channel' | 'row';
  /** Its weights are past the pair rule, and its sums must saturate. */
  readonly isBeyond?: boolean;
}

const weighted: readonly string[] = ['MatMul', 'Gemm', 'Conv'];

const recipeOf = (claim: Capability, more: Partial<Recipe>): Recipe => ({
  id: 'testkit',
  description: 'Makes one claim come true.',
  mode: claim.mode,
  weights: 'by-capability',
  embeddings: 'float',
  operators: [claim.op, 'Gemm', frame],
  weightsFrom: 'anywhere',
  smallestTable: 0,
  valueInfo: 'keep',
  onlyIfFaster: false,
  session: {},
  ...more,
});

/** Everything that must hold of a claim; `undefined` for an operator that the kit has no model of. */
export function proofsOf(claim: Capability): Proof[] | undefined {
  if (claim.mode === 'weight-only') return weightOnly(claim);
  if (claim.op === 'Gather' && claim.mode === 'dynamic') return tables(claim);
  if (weighted.includes(claim.op)) return products(claim);
  const subject = elementwiseSubject(claim.op, 5);
  const recipe = recipeOf(claim, { reach: 'all' });
  if (subject) return [{ claim, subjects: [subject], recipe }];
  const mover = moverSubject(claim.op, 7);
  return mover && [{ claim, subjects: [mover], recipe, beside: [frameClaim] }];
}

/** The operator around a mover, whatever the backend claims of it. */
const frameClaim: Capability = {
  id: 'testkit-frame',
  op: frame,
  mode: 'static',
  activation: 'uint8',
  weight: 'uint8',
  granularity: ['tensor'],
  requires: [],
  kernels: [`QLinear${frame}`],
  exact: 'always',
  speed: 1,
  opset: 1,
  source: 'stands around the operator of a claim',
};

function weightOnly(claim: Capability): Proof[] | undefined {
  if (claim.op === 'MatMul') return [{ claim, subjects: matrixSubjects(claim) }];
  return claim.op === 'Gather' ? [{ claim, subjects: blockTableSubjects(claim) }] : undefined;
}

const tables = (claim: Capability): Proof[] =>
  (['row', 'tensor'] as const)
    .filter((granularity) => claim.granularity.includes(granularity))
    .map((granularity) => ({
      claim,
      granularity,
      subjects: tableSubjects(claim, granularity),
      recipe: recipeOf(claim, { embeddings: granularity === 'row' ? 'int8-row' : 'uint8-tensor' }),
    }));

/**
 * Products: each granularity, on numbers as they come and at the extremes; with results in float and in 8 bits where the
 * claim is about both (for one granularity: the kernels behind are the same). A pair rule is proven from both sides: exact
 * up to it, saturating as predicted past it.
 */
function products(claim: Capability): Proof[] {
  const outputs = outputsOf(claim);
  const granularities = (['channel', 'tensor'] as const).filter((one) => claim.granularity.includes(one));
  const within = granularities.flatMap((granularity, index) =>
    (index === 0 ? outputs : outputs.slice(-1)).map((output) =>
      productProof(claim, granularity, output, dataOf(claim, granularity)),
    ),
  );
  if (claim.exact === 'always' || !granularities[0]) return within;
  return [...within, productProof(claim, granularities[0], outputs[0] as Trial['output'], ['beyond'])];
}

const outputsOf = ({ mode, op }: Capability): readonly Trial['output'][] =>
  mode === 'dynamic' ? ['float'] : op === 'Conv' ? ['8-bit'] : ['float', '8-bit'];

/** Only columns with a scale of their own can be made pair-aware: of one scale for all, only what is safe as it is. */
const dataOf = (claim: Capability, granularity: 'channel' | 'tensor'): readonly Data[] =>
  claim.exact === 'pair-rule' && granularity === 'tensor' ? ['extremes'] : ['random', 'extremes'];

function productProof(
  claim: Capability,
  granularity: 'channel' | 'tensor',
  output: Trial['output'],
  data: readonly Data[],
): Proof {
  const isPaired = claim.exact === 'pair-rule' && granularity === 'channel' && !data.includes('beyond');
  const scheme = {
    elementType: claim.weight === 'uint8' ? 'uint8' : 'int8',
    granularity,
    range: isPaired ? 'pair-aware' : 'full',
  } as const;
  // Unsigned weights with a scale for each channel have no name among the recipes: they are had by the claim.
  const isByClaim = isPaired || (claim.weight === 'uint8' && granularity === 'channel');
  const weights = isByClaim ? 'by-capability' : (`${scheme.elementType}-${granularity}` as Recipe['weights']);
  const subjects = productsOf(claim).flatMap((product, index) =>
    data.map((kind) => productSubject(product, { claim, scheme, data: kind, output }, 11 + 2 * index)),
  );
  return {
    claim,
    subjects,
    granularity,
    isBeyond: data.includes('beyond'),
    recipe: recipeOf(claim, { weights, reach: output === 'float' ? 'weights' : 'all' }),
  };
}
