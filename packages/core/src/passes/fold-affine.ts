import type { Model } from '../ir/index.ts';
import { foldBefore } from './fold-before.ts';
import { foldBehind } from './fold-behind.ts';

/**
 * Folds chains of Mul, Add, Sub and Div by constants, one for all or one for each channel, into the weights and biases of
 * the Conv, ConvTranspose, Gemm or MatMul before them and of the Conv behind them. Only float rounding changes. Returns
 * how many operators went.
 */
export const foldAffine = (model: Model): number => foldBehind(model, () => true) + foldBefore(model);
