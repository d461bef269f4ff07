export { integerProducts } from './integer-products.ts';
export * from './retarget-model.ts';
export type { IdenticalUpTo, LeftAlone, PairFacts, RetargetAction, RewriteId } from './rewrite.ts';
export type { RetargetTarget } from './target-kernels.ts';
