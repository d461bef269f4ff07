export * from './execute-plan.ts';
export { defaultLimits, type ReadLimits } from './limits.ts';
export type { OpenExternal } from './read-external.ts';
export { newestIrVersion, type ReadOptions, readModel } from './read-model.ts';
export * from './write-plan.ts';
