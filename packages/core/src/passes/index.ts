export * from './split-gemm.ts';
