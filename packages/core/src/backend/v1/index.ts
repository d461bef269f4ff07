export * from './backend.ts';
export * from './capability.ts';
export * from './cpu-facts.ts';
export * from './feature.ts';
export * from './manifest.ts';
export * from './recipe.ts';
export * from './runtime.ts';
export * from './target.ts';
