export * from './byte-source.ts';
export * from './diagnostics.ts';
export * from './errors.ts';
export * from './float16.ts';
export * from './nearest.ts';
export * from './portable-name.ts';
export * from './quote.ts';
export * from './random.ts';
