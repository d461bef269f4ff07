export * from './already-quantized.ts';
export * from './annotate.ts';
export * from './realize.ts';
export * from './saturation.ts';
export * from './weight-job.ts';
export { runWeightTask, type WeightFacts, type WeightTask, weightParts } from './weight-task.ts';
