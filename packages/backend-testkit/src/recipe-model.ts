import { seededRandom } from '@optimum/core';

const random = seededRandom(17);
const numbers = (count: number): string =>
  Array.from({ length: count }, () => (random.normal() * 0.2).toFixed(4)).join();

/**
 * A model with one of everything that recipes are about: a table, products in a row with a bias, a convolution. Small
 * enough to be quantized and verified in a second.
 */
export const recipeModelText = `<ir_version: 8, opset_import: ["": 17]>
  small (int64[batch, 8] input_ids, float[batch, 8, 6, 6] pixel_values) => (float[batch, 8, 16] last_hidden_state, float[batch, 8, 6, 6] features)
  <float[64, 64] table = {${numbers(4096)}}, float[64, 64] w0 = {${numbers(4096)}}, float[64] b0 = {${numbers(64)}},
   float[64, 16] w1 = {${numbers(1024)}}, float[8, 8, 3, 3] filters = {${numbers(576)}}, float[8] b2 = {${numbers(8)}}>
  {
    rows = Gather (table, input_ids)
    product = MatMul (rows, w0)  sum = Add (product, b0)  hidden = Relu (sum)
    last_hidden_state = MatMul (hidden, w1)
    features = Conv <pads = [1, 1, 1, 1]> (pixel_values, filters, b2)
  }`;
