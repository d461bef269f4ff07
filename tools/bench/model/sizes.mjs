/**
 * Shapes of the generated encoders. `bert-base` is the published architecture without its pooler (436 MB); `large` is
 * XLM-RoBERTa-large's (2.2 GB), past what one protobuf file may hold; `tiny` is for tests.
 *
 * @typedef {object} ModelSize
 * @property {number} layers
 * @property {number} hidden
 * @property {number} heads
 * @property {number} intermediate
 * @property {number} vocabulary
 * @property {number} positions
 * @property {number} tokenTypes
 * @property {boolean} externalData weights in a file of their own
 */

/** @type {Readonly<Record<string, ModelSize>>} */
export const sizes = {
  tiny: {
    layers: 2,
    hidden: 64,
    heads: 2,
    intermediate: 128,
    vocabulary: 120,
    positions: 64,
    tokenTypes: 2,
    externalData: false,
  },
  'bert-base': {
    layers: 12,
    hidden: 768,
    heads: 12,
    intermediate: 3072,
    vocabulary: 30_522,
    positions: 512,
    tokenTypes: 2,
    externalData: false,
  },
  large: {
    layers: 24,
    hidden: 1024,
    heads: 16,
    intermediate: 4096,
    vocabulary: 250_002,
    positions: 512,
    tokenTypes: 2,
    externalData: true,
  },
};
