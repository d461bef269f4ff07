import type { Model } from '../ir/index.ts';
import { foldAffine } from './fold-affine.ts';
import { foldBatchNormalization } from './fold-batch-normalization.ts';
import { recogniseHardSwish } from './recognise-hard-swish.ts';
import { removeIdentity } from './remove-identity.ts';

/** A pass edits a model without a change to what it computes, but for float rounding, and says how often it applied. */
export type Pass = (model: Model) => number;

/** In the order in which they run. */
export const canonicalPasses = {
  'remove-identity': removeIdentity,
  'recognise-hard-swish': recogniseHardSwish,
  'fold-batch-normalization': foldBatchNormalization,
  'fold-affine': foldAffine,
} as const satisfies Readonly<Record<string, Pass>>;

/** How often a pass applied, over all rounds. */
export interface AppliedPass {
  readonly pass: keyof typeof canonicalPasses;
  readonly count: number;
}

export interface CanonicaliseOptions {
  /** Sees the model after each pass that changed it. */
  readonly onApplied?: (applied: AppliedPass, model: Model) => void;
}

/**
 * Brings a model with convolutions into the form in which it is cheapest and quantizes best: normalizations and scalings
 * in the weights, activations as one operator. Runs the passes until none applies: each leaves fewer operators, or
 * cheaper ones, so that this ends. Changes `model`; what it computes stays, but for float rounding.
 */
export function canonicalise(model: Model, { onApplied }: CanonicaliseOptions = {}): AppliedPass[] {
  const totals = new Map<AppliedPass['pass'], number>();
  for (let isChanged = true; isChanged; ) {
    isChanged = false;
    for (const [pass, run] of Object.entries(canonicalPasses) as [AppliedPass['pass'], Pass][]) {
      const count = run(model);
      if (count === 0) continue;
      isChanged = true;
      totals.set(pass, (totals.get(pass) ?? 0) + count);
      onApplied?.({ pass, count }, model);
    }
  }
  return [...totals].map(([pass, count]) => ({ pass, count }));
}
