import type { Placement } from './placement.ts';

/**
 * Matrix products and convolutions: one operand is a weight with scales by output channel. Convolutions need an integer
 * output; matrix products need none, so that bias, Gelu, normalization and residual behind them stay in float.
 * @source research: algorithms.md sections 2.1 and 2.2
 */
export const products: readonly Placement[] = [
  {
    op: 'Conv',
    inputs: ['activation', 'weight', 'bias'],
    output: 'own',
    order: 'weighted',
    integer: { op: 'QLinearConv' },
  },
  // The runtime has no integer kernel for it: only devices that claim one get it, in the QDQ form.
  { op: 'ConvTranspose', inputs: ['activation', 'weight', 'bias'], output: 'own', order: 'weighted' },
  {
    op: 'MatMul',
    inputs: ['activation', 'weight'],
    output: 'optional',
    order: 'weighted',
    integer: { op: 'QLinearMatMul' },
  },
  {
    op: 'Gemm',
    inputs: ['activation', 'weight', 'bias'],
    output: 'optional',
    order: 'weighted',
    integer: { op: 'QGemm', domain: 'com.microsoft' },
  },
];
