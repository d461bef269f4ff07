import type { Capability } from '@optimum/core';
import { dotProduct } from './dot-product.ts';

/** The claims for one family of kernels; what they have in common is said once. */
const claims = <Common extends Partial<Capability>>(
  common: Common,
  ...own: readonly (Omit<Capability, keyof Common> & Partial<Capability>)[]
): Capability[] => own.map((one) => ({ ...common, ...one }) as Capability & Common);

const zen4 = 'measured on AMD EPYC Zen 4 (AVX512-VNNI), onnxruntime-node 1.30, one thread';
const zen3 = 'measured on AMD EPYC Zen 3 (AVX2)';
const vnni = { weight: 'int8', requires: dotProduct.map((feature) => [feature]), exact: 'always' } as const;
const pairs = { weight: 'int8', requires: [['avx2']], unless: dotProduct, exact: 'pair-rule' } as const;
const unsigned = { weight: 'uint8', requires: [['avx2']], exact: 'always' } as const;
const arm = { weight: 'int8', requires: [['dotprod'], ['i8mm']], exact: 'always' } as const;
const unmeasuredArm = 'exact under qemu-aarch64 (neoverse-n1, max); speed not measured on hardware, set low';

const weighted = { mode: 'static', activation: 'uint8', opset: 13 } as const;
const byChannel = ['channel', 'tensor'] as const;

/** Depthwise filters have kernels of their own, which add no pairs and are slower than the blocked float ones. */
const convolutions = claims(
  { ...weighted, op: 'Conv', kernels: ['QLinearConv'] },
  {
    ...vnni,
    id: 'conv-static-u8s8-vnni',
    granularity: byChannel,
    filters: 'full',
    speed: 3.3,
    source: `${zen4}: 1×1 of 64 to 480 channels 3.0–3.9×, of 16 to 32 channels 1.8–2.5×, 1×3 of 480 channels 3.2×; a first layer of 3 channels 0.4×`,
  },
  {
    ...pairs,
    id: 'conv-static-u8s8-pairs',
    granularity: byChannel,
    filters: 'full',
    speed: 1.8,
    source: `${zen3}: 3×3 of 192 channels 185 against 83 GOPS unblocked float; pairs run in (kh, kw, channel) order, 0 exceptions`,
  },
  {
    ...unsigned,
    id: 'conv-static-u8u8-x86',
    granularity: ['tensor'],
    filters: 'full',
    speed: 1.3,
    source: `${zen3}: 3×3 of 192 channels 137 against 83 GOPS unblocked float; on VNNI it does not use the dot products`,
  },
  { ...arm, id: 'conv-static-u8s8-arm', granularity: byChannel, filters: 'full', speed: 2, source: unmeasuredArm },
  {
    id: 'conv-depthwise-static-u8s8',
    weight: 'int8',
    requires: [],
    exact: 'always',
    granularity: byChannel,
    filters: 'depthwise',
    speed: 0.6,
    source: `${zen4}: 3×3 of 16 to 128 channels 0.3–0.7×, 5×5 of 240 and 480 channels 0.5–0.7×; exact on AVX2 too (research: avx2.md)`,
  },
);

const matrixProducts = claims(
  { ...weighted, op: 'MatMul', kernels: ['QLinearMatMul', 'MatMulIntegerToFloat'] },
  {
    ...vnni,
    id: 'matmul-static-u8s8-vnni',
    granularity: byChannel,
    speed: 3.7,
    source: `${zen4}: 128×768×768 358 µs against 1338 µs`,
  },
  {
    ...pairs,
    id: 'matmul-static-u8s8-pairs',
    granularity: byChannel,
    speed: 1.9,
    source: `${zen3}: 128×768×768 1.9×; pairs along K saturate`,
  },
  {
    ...unsigned,
    id: 'matmul-static-u8u8-x86',
    granularity: byChannel,
    speed: 1.5,
    source: `measured: 1.5× on AVX2 (Zen 3) and on AVX512-VNNI (Zen 4)`,
  },
  { ...arm, id: 'matmul-static-u8s8-arm', granularity: byChannel, speed: 2, source: unmeasuredArm },
);

/** With its bias in int32: a float bias makes the runtime dequantize the weights on every run. */
const gemms = claims(
  { ...weighted, op: 'Gemm', kernels: ['QGemm'] },
  {
    ...vnni,
    id: 'gemm-static-u8s8-vnni',
    granularity: byChannel,
    speed: 3.7,
    source: `${zen4}: 128×768×768 356 µs against 1338 µs`,
  },
  {
    ...pairs,
    id: 'gemm-static-u8s8-pairs',
    granularity: byChannel,
    speed: 1.9,
    source: `${zen3}: as MatMul; pairs along K saturate (research: avx2.md section 2)`,
  },
  {
    ...unsigned,
    id: 'gemm-static-u8u8-x86',
    granularity: byChannel,
    speed: 1.5,
    source: `${zen4}: 128×768×768 903 µs against 1309 µs`,
  },
  { ...arm, id: 'gemm-static-u8s8-arm', granularity: byChannel, speed: 2, source: unmeasuredArm },
);

/** Between integers on both sides: the float operator against the integer one, without the conversions around. */
const between = {
  mode: 'static',
  activation: 'uint8',
  weight: 'uint8',
  granularity: ['tensor'],
  requires: [],
  exact: 'always',
  opset: 10,
} as const;

const elementwise = claims(
  between,
  {
    id: 'add-static-u8',
    op: 'Add',
    kernels: ['QLinearAdd'],
    speed: 1,
    source: `${zen4}: 245,760 elements 38 against 38 µs`,
  },
  {
    id: 'mul-static-u8',
    op: 'Mul',
    kernels: ['QLinearMul'],
    speed: 0.67,
    source: `${zen4}: 245,760 elements 57 against 38 µs`,
  },
  {
    id: 'sigmoid-static-u8',
    op: 'Sigmoid',
    kernels: ['QLinearSigmoid'],
    speed: 1.2,
    source: `${zen4}: a table of 256, 60 against 72 µs`,
  },
  {
    id: 'leaky-relu-static-u8',
    op: 'LeakyRelu',
    kernels: ['QLinearLeakyRelu'],
    speed: 0.66,
    source: `${zen4}: 62 against 41 µs`,
  },
  {
    id: 'softmax-static-u8',
    op: 'Softmax',
    kernels: ['QLinearSoftmax'],
    speed: 0.16,
    source: `${zen4}: 12×128×128 500 against 81 µs`,
  },
  {
    id: 'concat-static-u8',
    op: 'Concat',
    kernels: ['QLinearConcat'],
    speed: 0.39,
    source: `${zen4}: 135 against 53 µs with three scales`,
  },
  {
    id: 'where-static-u8',
    op: 'Where',
    kernels: ['QLinearWhere'],
    speed: 0.05,
    source: `${zen4}: 1660 against 84 µs`,
  },
  {
    id: 'average-pool-static-u8',
    op: 'AveragePool',
    kernels: ['QLinearAveragePool'],
    speed: 0.1,
    source: `${zen4}: 2×2 506 against 52 µs, reordering included`,
  },
  {
    id: 'global-average-pool-static-u8',
    op: 'GlobalAveragePool',
    kernels: ['QLinearGlobalAveragePool'],
    speed: 4,
    source: `${zen4}: 11 against 44 µs, reordering included`,
  },
);

/** Before these the operators do not take 8-bit integers, and the runtime makes them do so all the same: it fails to load. */
const firstIntegerOpset: Readonly<Record<string, number>> = {
  MaxPool: 12,
  ReduceMax: 12,
  DepthToSpace: 13,
  Resize: 11,
};

/** Operators that only move numbers: they run on the integers as they are, if input and output have one scale. */
const movers = claims(
  between,
  ...(
    [
      ['Transpose', 4.6, '13 against 60 µs'],
      ['Reshape', 3.4, '8 against 27 µs'],
      ['Squeeze', 3.4, '8 against 27 µs'],
      ['Unsqueeze', 3.4, '8 against 27 µs'],
      ['Flatten', 3.9, '7 against 27 µs'],
      ['Slice', 2.7, '6 against 16 µs'],
      ['Expand', 2.4, '7 against 17 µs'],
      ['DepthToSpace', 1.6, '277 against 450 µs'],
      ['ReduceMax', 1.6, '12 against 19 µs'],
      ['Resize', 0.5, 'nearest, twice the size, 877 against 449 µs'],
      ['MaxPool', 0.06, '2×2 803 against 52 µs, whose kernel is blocked'],
    ] as const
  ).map(([op, speed, times]) => ({
    id: `${op.replace(/(?<=[a-z])[A-Z]/g, '-$&').toLowerCase()}-static-u8`,
    op,
    kernels: [op],
    speed,
    opset: firstIntegerOpset[op] ?? between.opset,
    source: `${zen4}: ${times}`,
  })),
);

/** Operators with ranges from calibration, between QuantizeLinear and DequantizeLinear. */
export const staticCapabilities: readonly Capability[] = [
  ...convolutions,
  ...matrixProducts,
  ...gemms,
  ...elementwise,
  ...movers,
];
