export * from './execute-plan.ts';
export { defaultLimits, type ReadLimits } from './limits.ts';
export { type ReadOptions, readModel } from './read-model.ts';
export type { OpenExternal } from './read-tensor.ts';
export * from './write-plan.ts';
