export * from './constants.ts';
export * from './types/index.ts';
