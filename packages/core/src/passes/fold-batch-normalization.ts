import type { Model } from '../ir/index.ts';
import { foldBehind } from './fold-behind.ts';

/**
 * Folds BatchNormalization in inference into the Conv, ConvTranspose or Gemm before it: its weights are scaled and its
 * bias shifted by channel. One that stands alone stays: the runtime has one kernel for it, and would have two for Mul
 * and Add. Returns how many went.
 */
export const foldBatchNormalization = (model: Model): number =>
  foldBehind(model, (node) => node.is('BatchNormalization'));
