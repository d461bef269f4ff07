export * from './merge-plan.ts';
export * from './node-ids.ts';
export * from './parse-plan.ts';
export * from './plan.ts';
export * from './selectors.ts';
export * from './settle-plan.ts';
export * from './value-ids.ts';
