import type { Capability } from '@optimum/core';
import { dotProduct } from './dot-product.ts';

const zen4 = 'measured on AMD EPYC Zen 4 (AVX512-VNNI), onnxruntime-node 1.30, one thread';
const zen3 = 'measured on AMD EPYC Zen 3 (AVX2), onnxruntime-node 1.30, one thread';

const vnni = { requires: dotProduct.map((feature) => [feature]) } as const;
const avx2 = { requires: [['avx2']], unless: dotProduct } as const;
const everywhere = { requires: [] } as const;

const few = { most: 4 } as const;
const many = { least: 5 } as const;
const small = [16, 32, 64] as const;
const large = [128, 256] as const;
const all = [...small, ...large] as const;
/** Two bits have an int8 kernel for these only; for 16 and 256 the runtime computes in float32 without a word. */
const ofTwoBits = [32, 64, 128] as const;

type Row = Pick<Capability, 'id' | 'requires' | 'unless' | 'blocks' | 'rows' | 'speed' | 'source'>;

/** MatMulNBits: weights of few bits with a scale for each block along K; 4 is the level that makes activations int8. */
const blocked = (weight: Capability['weight'], accuracyLevel: 0 | 4, rows: readonly Row[]): Capability[] =>
  rows.map((row) => ({
    op: 'MatMul',
    mode: 'weight-only',
    weight,
    granularity: ['block'],
    accuracyLevel,
    kernels: ['MatMulNBits'],
    exact: 'always',
    opset: 11,
    ...row,
  }));

/**
 * It wins for the few rows of decoding, where reading weights is the work; for more rows dynamic int8 is two to three
 * times as fast. Decoding reads weights that are in no cache, and gains more than `speed` says, which is with warm ones.
 */
const fourBits = blocked('uint4', 4, [
  {
    id: 'matmul-4-bits-vnni-few-small',
    ...vnni,
    blocks: small,
    rows: few,
    speed: 2.2,
    source: `${zen4}: 1×768×768 in blocks of 32 14.5 µs against 31.5 µs; cold 4.4×`,
  },
  {
    id: 'matmul-4-bits-vnni-few-large',
    ...vnni,
    blocks: large,
    rows: few,
    speed: 3,
    source: `${zen4}: 1×768×768 in blocks of 128 10.5 µs against 31.5 µs; cold 7.0×`,
  },
  {
    id: 'matmul-4-bits-vnni-many-small',
    ...vnni,
    blocks: small,
    rows: many,
    speed: 1.2,
    source: `${zen4}: 128×768×3072 in blocks of 32 4595 µs against 5556 µs`,
  },
  {
    id: 'matmul-4-bits-vnni-many-large',
    ...vnni,
    blocks: large,
    rows: many,
    speed: 1.6,
    source: `${zen4}: 128×768×3072 in blocks of 128 3347 µs against 5556 µs`,
  },
  {
    id: 'matmul-4-bits-avx2-few',
    ...avx2,
    blocks: all,
    rows: { most: 1 },
    speed: 1.8,
    source: `${zen3}: 1×768×768 1.8× in blocks of 32, 1.9× in blocks of 128; cold 4.6×`,
  },
  {
    id: 'matmul-4-bits-avx2-many',
    ...avx2,
    blocks: all,
    rows: { least: 2 },
    speed: 0.9,
    source: `${zen3}: M = 4 to 512 0.9× in blocks of 32, 1.0× in blocks of 128`,
  },
]);

const eightBits = blocked('uint8', 4, [
  {
    id: 'matmul-8-bits-vnni-few',
    ...vnni,
    blocks: all,
    rows: few,
    speed: 2.7,
    source: `${zen4}: 1×768×768 in blocks of 128 11.5 µs against 31.5 µs; cold 4.0×`,
  },
  {
    id: 'matmul-8-bits-vnni-many',
    ...vnni,
    blocks: all,
    rows: many,
    speed: 1.4,
    source: `${zen4}: 128×768×3072 in blocks of 32 4042 µs, of 128 3124 µs, against 5556 µs`,
  },
  {
    id: 'matmul-8-bits-avx2-few',
    ...avx2,
    blocks: all,
    rows: { most: 1 },
    speed: 1.7,
    source: `${zen3}: 1×768×768 1.7× in blocks of 32, 1.9× in blocks of 128; cold 2.9×`,
  },
  {
    id: 'matmul-8-bits-avx2-many',
    ...avx2,
    blocks: all,
    rows: { least: 2 },
    speed: 0.6,
    source: `${zen3}: M = 4 to 512 0.6× in blocks of 32, 0.7× in blocks of 128`,
  },
]);

const twoBits = blocked('uint2', 4, [
  {
    id: 'matmul-2-bits-vnni-few',
    ...vnni,
    blocks: ofTwoBits,
    rows: few,
    speed: 2.4,
    source: `${zen4}: 1×768×768 in blocks of 128 13 µs against 31.5 µs; cold 7.3×`,
  },
  {
    id: 'matmul-2-bits-vnni-many',
    ...vnni,
    blocks: ofTwoBits,
    rows: many,
    speed: 1.2,
    source: `${zen4}: 128×768×3072 in blocks of 128 4278 µs against 5556 µs`,
  },
  {
    id: 'matmul-2-bits-avx2-few',
    ...avx2,
    blocks: ofTwoBits,
    rows: { most: 1 },
    speed: 6.3,
    source: `${zen3}: 1×768×3072, cold weights, 86 µs against 538 µs; warm ones and more rows were not measured`,
  },
]);

/** Float32 all the way. Eight and two bits have no kernel for it: one row costs thirty times what float costs. */
const inFloat = [
  ...blocked('uint4', 0, [
    {
      id: 'matmul-4-bits-float',
      ...everywhere,
      blocks: all,
      speed: 0.9,
      source: `${zen4}: 1×768×3072 145 µs against 138 µs, 128×768×768 1455 µs against 1338 µs; Zen 3: 0.3× to 1.0×`,
    },
  ]),
  ...blocked('uint8', 0, [
    {
      id: 'matmul-8-bits-float',
      ...everywhere,
      blocks: all,
      speed: 0.5,
      source: `${zen4}: 128×768×3072 10,100 µs against 5556 µs; 1×768×768 730 µs against 31.5 µs`,
    },
  ]),
  ...blocked('uint2', 0, [
    { id: 'matmul-2-bits-float', ...everywhere, blocks: all, speed: 0.5, source: `${zen4}: as eight bits` },
  ]),
];

/**
 * Standard ONNX: DequantizeLinear on blocks of a weight before MatMul. The runtime makes it MatMulNBits when it loads,
 * with the same blocks, at the level of the session entry `session.qdq_matmulnbits_accuracy_level`, 4 unless it is set.
 */
const standard = (weight: 'int4' | 'int8', rows: readonly Row[]): Capability[] =>
  blocked(weight, 4, rows).map((claim) => ({ ...claim, opset: 21 }));

const dequantized = [
  ...standard('int4', [
    {
      id: 'matmul-int4-blocks-vnni',
      ...vnni,
      blocks: all,
      speed: 1.1,
      source: `${zen4}: 128×768×768 0.9 to 1.2 ms against 1.34 ms`,
    },
    {
      id: 'matmul-int4-blocks-avx2',
      ...avx2,
      blocks: all,
      speed: 0.9,
      source: `${zen3}: the kernel of matmul-4-bits-avx2-many`,
    },
  ]),
  ...standard('int8', [
    {
      id: 'matmul-int8-blocks-vnni',
      ...vnni,
      blocks: all,
      speed: 1.2,
      source: `${zen4}: 128×768×768 in blocks of 32 1.05 ms against 1.34 ms`,
    },
    {
      id: 'matmul-int8-blocks-avx2',
      ...avx2,
      blocks: all,
      speed: 0.6,
      source: `${zen3}: BERT-base at 0.68× of float32`,
    },
  ]),
];

/** Tables with a scale for each block of a row: only rows that are looked up become float. */
const tables = (['uint4', 'int4', 'uint8'] as const).map(
  (weight): Capability => ({
    id: `gather-${weight}-blocks`,
    op: 'Gather',
    mode: 'weight-only',
    weight,
    granularity: ['block'],
    requires: [],
    blocks: all,
    kernels: ['GatherBlockQuantized'],
    exact: 'always',
    speed: 1,
    opset: 21,
    source: `runs on onnxruntime-node 1.30; ${weight === 'uint8' ? 'a quarter' : 'an eighth'} of the table's bytes and no product: taken for as fast as float, not measured`,
  }),
);

/** Weights of 2, 4 and 8 bits beside float activations. Nothing is planned by these yet; the conformance kit runs them. */
export const weightOnlyCapabilities: readonly Capability[] = [
  ...fourBits,
  ...eightBits,
  ...twoBits,
  ...inFloat,
  ...dequantized,
  ...tables,
];
