export * from './time-variants.ts';
export * from './variant.ts';
export * from './variant-tree.ts';
