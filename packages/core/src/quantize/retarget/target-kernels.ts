import { type Capability, type Feature, holdsOn } from '../../backend/index.ts';
import type { ElementType } from '../../ir/index.ts';
import type { IntegerProduct } from './integer-products.ts';

/** What a model is retargeted to: the claims of the runtime, and what the CPU has of it. */
export interface RetargetTarget {
  readonly capabilities: readonly Capability[];
  readonly features: readonly Feature[];
}

/** The claims that hold on the target for one product, by the types of its operands. */
export function kernelFor(
  target: RetargetTarget,
  product: Pick<IntegerProduct, 'op' | 'mode' | 'isDepthwise'>,
  activation: ElementType,
  weight: ElementType,
): Capability | undefined {
  return target.capabilities
    .filter(
      (claim) =>
        claim.op === product.op &&
        claim.mode === product.mode &&
        claim.activation === activation &&
        claim.weight === weight &&
        fitsFilters(claim, product) &&
        holdsOn(claim, target.features),
    )
    .sort((a, b) => b.speed - a.speed)[0];
}

const fitsFilters = (
  { filters }: Capability,
  { op, isDepthwise }: Pick<IntegerProduct, 'op' | 'isDepthwise'>,
): boolean => op !== 'Conv' || filters === undefined || filters === (isDepthwise ? 'depthwise' : 'full');

/** How much faster `after` is; `undefined` where nothing is known of the kernel that runs now. */
export const gainOf = (before: Capability | undefined, after: Capability | undefined): number | undefined =>
  before && after && after.speed / before.speed;
