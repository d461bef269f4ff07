import { fusedText, productsText, timeOf } from './one-op.mjs';

/** As many products with weights of their own as an encoder of twelve layers has for its queries, keys and values. */
const layers = 36;

/** True where the parts of the operator can be timed one by one. */
export const isFusable = (op) => op === 'MatMulIntegerToFloat' || op === 'DynamicQuantizeMatMul';

/**
 * A product of a model in parts, each in microseconds: alone with weights in the cache, with weights from memory, as the
 * fused operator with weights in the cache, and what these leave of the time in the model.
 */
export async function timeApart(shape, repetitions) {
  const hot = await timeOf(productsText(shape, 1), 'MatMulInteger', repetitions);
  // Where both sides are activations nothing comes from memory.
  const cold = shape.batch > 1 ? hot : await timeOf(productsText(shape, layers), 'MatMulInteger', repetitions);
  const fused = await timeOf(fusedText(shape), shape.op, repetitions);
  return { hot, cold, fused, left: shape.microseconds - cold - (fused - hot) };
}
