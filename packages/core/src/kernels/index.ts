export * from './affine.ts';
export { createKernels, type KernelOptions, type Kernels } from './kernels.ts';
