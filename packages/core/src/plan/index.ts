export * from './node-ids.ts';
export * from './parse-plan.ts';
export * from './plan.ts';
export * from './selectors.ts';
