import type { Recipe } from '@optimum/core';

/** The choices that suit every CPU on this runtime; the first is the default. Backends may add their own. */
export const cpuRecipes: readonly Recipe[] = [
  {
    id: 'latency',
    description:
      'The fastest exact int8 of the target: per-channel weights, embeddings with a scale per row, what gets no faster stays float.',
    mode: 'dynamic',
    weights: 'by-capability',
    embeddings: 'int8-row',
    operators: ['MatMul', 'Gemm', 'Gather', 'Conv'],
    weightsFrom: 'anywhere',
    smallestTable: 4096,
    valueInfo: 'drop',
    onlyIfFaster: true,
    session: {},
  },
  {
    id: 'compatible',
    description:
      "What Python's quantize_dynamic makes, bit for bit: int8 weights per tensor, uint8 embeddings per tensor, inferred shapes written.",
    mode: 'dynamic',
    weights: 'int8-tensor',
    embeddings: 'uint8-tensor',
    operators: ['MatMul', 'Gemm', 'Gather', 'Conv'],
    weightsFrom: 'initializers',
    smallestTable: 0,
    valueInfo: 'write',
    onlyIfFaster: false,
    session: {},
  },
  {
    id: 'compatible-per-channel',
    description: "As compatible, with the tool's per_channel option: int8 weights per channel.",
    mode: 'dynamic',
    weights: 'int8-channel',
    embeddings: 'uint8-tensor',
    operators: ['MatMul', 'Gemm', 'Gather', 'Conv'],
    weightsFrom: 'initializers',
    smallestTable: 0,
    valueInfo: 'write',
    onlyIfFaster: false,
    session: {},
  },
];
