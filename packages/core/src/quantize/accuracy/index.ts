export * from './adaround.ts';
export type { AppliedAlgorithm } from './applied-algorithm.ts';
export * from './bias-correction.ts';
export { addConvolutionErrors, type ConvolutionErrorOptions, convolutionErrorRequests } from './convolution-error.ts';
export * from './cross-layer-equalization.ts';
export type { WeightGrid } from './emulate-product.ts';
export type { Observed } from './observed.ts';
export * from './smooth-quant.ts';
