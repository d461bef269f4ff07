import type { Recipe } from '@optimum/core';

/** Operators that only move numbers: integer where both sides are. */
const movers = [
  'Reshape',
  'Transpose',
  'Squeeze',
  'Unsqueeze',
  'Flatten',
  'Slice',
  'Split',
  'Expand',
  'Tile',
  'Identity',
  'GatherElements',
  'MaxPool',
  'ReduceMax',
  'ReduceMin',
  'DepthToSpace',
  'SpaceToDepth',
  'Resize',
  'Pad',
] as const;

/**
 * The runtime fuses Add and LayerNormalization once it can prove their shapes, which it can when the inputs have fixed
 * sizes, and the fused kernel is slower than the two (onnxruntime 1.30). On MiniLM in dynamic int8 with inputs of 1×128,
 * leaving it out gave 1.28× on Zen 4. Denormals as zero gave nothing. MatMulAddFusion may stay: static products are written
 * as the operators that it would keep from being fused.
 * @source research: runtime.md fact 4
 */
const withoutSlowFusions = { 'optimization.disable_specified_optimizers': 'SkipLayerNormFusion' } as const;

/** What the fastest exact models have in common, whenever their activations become integers. */
const fastest = {
  weights: 'by-capability',
  embeddings: 'int8-row',
  weightsFrom: 'anywhere',
  smallestTable: 4096,
  valueInfo: 'drop',
  onlyIfFaster: true,
  session: withoutSlowFusions,
} as const;

/** Operators that are worth making integer while they run. */
const withWeights = ['MatMul', 'Gemm', 'Gather', 'Conv'] as const;

/** The choices that suit every CPU on this runtime; the first is the default. Backends may add their own. */
export const cpuRecipes: readonly Recipe[] = [
  {
    ...fastest,
    id: 'latency',
    description:
      'The fastest exact int8 of the target: per-channel weights, embeddings with a scale per row, what gets no faster stays float.',
    mode: 'dynamic',
    operators: withWeights,
    serving: { threads: 'all', instances: 1 },
  },
  {
    ...fastest,
    id: 'throughput',
    description:
      'The model of latency, served for the most inferences per second: one process of one thread for each core.',
    mode: 'dynamic',
    operators: withWeights,
    serving: { threads: 1, instances: 'per-core', spinning: false },
  },
  {
    ...fastest,
    id: 'size',
    description:
      'The smallest exact int8: whatever has weights becomes integer, also where that is slower, and small tables too.',
    mode: 'dynamic',
    operators: withWeights,
    smallestTable: 1024,
    onlyIfFaster: false,
  },
  {
    id: 'compatible',
    description:
      "What Python's quantize_dynamic makes, bit for bit: int8 weights per tensor, uint8 embeddings per tensor, inferred shapes written.",
    mode: 'dynamic',
    weights: 'int8-tensor',
    embeddings: 'uint8-tensor',
    operators: withWeights,
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
    operators: withWeights,
    weightsFrom: 'initializers',
    smallestTable: 0,
    valueInfo: 'write',
    onlyIfFaster: false,
    session: {},
  },
  {
    ...fastest,
    id: 'static',
    description:
      'int8 with ranges from calibration for Conv, MatMul and Gemm, and what moves numbers between them; normalization, Softmax, Gelu and residuals stay float.',
    mode: 'static',
    operators: ['MatMul', 'Gemm', 'Gather', 'Conv', ...movers],
  },
  {
    ...fastest,
    id: 'integer',
    description:
      'Every operator that has an integer form, with every result an integer: for devices that know nothing else. Slower and less accurate on CPUs.',
    mode: 'static',
    reach: 'all',
    operators: [
      'MatMul',
      'Gemm',
      'Gather',
      'Conv',
      'ConvTranspose',
      'Add',
      'Mul',
      'Where',
      'Concat',
      'Sigmoid',
      'LeakyRelu',
      'Softmax',
      'AveragePool',
      'GlobalAveragePool',
      ...movers,
    ],
    valueInfo: 'keep',
    onlyIfFaster: false,
  },
  {
    ...fastest,
    id: 'auto',
    description:
      'Per operator whichever is fastest on the target: dynamic int8, int8 with ranges from calibration, or float.',
    mode: 'auto',
    operators: ['MatMul', 'Gemm', 'Gather', 'Conv', ...movers],
  },
];
