export * from './canonicalise.ts';
export * from './fold-affine.ts';
export * from './fold-batch-normalization.ts';
export * from './raise-opset.ts';
export * from './recognise-hard-swish.ts';
export * from './remove-identity.ts';
export * from './split-gemm.ts';
