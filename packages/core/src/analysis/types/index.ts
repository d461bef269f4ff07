export * from './infer-types.ts';
export * from './write-inferred-types.ts';
