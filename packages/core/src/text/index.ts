export * from './diff-models.ts';
export { formatDiff } from './format-diff.ts';
export { type ParseOptions, parseModel } from './parse-model.ts';
export type { WeightsOption } from './print-context.ts';
export { type PrintOptions, printModel } from './print-model.ts';
export { toDot } from './to-dot.ts';
