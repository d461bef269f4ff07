import type { Capability } from '@optimum/core';
import { dotProduct } from './dot-product.ts';
import { staticCapabilities } from './static-capabilities.ts';
import { weightOnlyCapabilities } from './weight-only-capabilities.ts';

const integerProducts = ['DynamicQuantizeMatMul', 'MatMulIntegerToFloat', 'MatMulInteger'] as const;
const base = { op: 'MatMul', mode: 'dynamic', activation: 'uint8', kernels: integerProducts, opset: 11 } as const;

const dynamicCapabilities: readonly Capability[] = [
  {
    ...base,
    id: 'matmul-dynamic-u8s8-vnni',
    weight: 'int8',
    granularity: ['channel', 'tensor'],
    requires: dotProduct.map((feature) => [feature]),
    exact: 'always',
    speed: 4,
    source: 'measured on AMD EPYC Zen 4 (AVX512-VNNI): 128×768×768 336 µs against 1338 µs; dispatch: MLAS platform.cpp',
  },
  {
    ...base,
    id: 'matmul-dynamic-u8s8-pairs',
    weight: 'int8',
    granularity: ['channel'],
    requires: [['avx2']],
    unless: dotProduct,
    exact: 'pair-rule',
    speed: 2,
    source:
      'measured on AMD EPYC Zen 3 (AVX2): 2.0× at M = 128; vpmaddubsw saturates pairs, 0 exceptions in 1.7 million outputs',
  },
  {
    ...base,
    id: 'matmul-dynamic-u8u8-x86',
    weight: 'uint8',
    granularity: ['channel', 'tensor'],
    requires: [['avx2']],
    exact: 'always',
    speed: 1.5,
    source: 'measured: 1.5× on AVX2 (Zen 3) and on AVX512-VNNI (Zen 4), where it does not use the dot products',
  },
  {
    ...base,
    id: 'matmul-dynamic-u8s8-arm',
    weight: 'int8',
    granularity: ['channel', 'tensor'],
    requires: [['dotprod'], ['i8mm']],
    exact: 'always',
    speed: 2,
    source:
      'exact under qemu-aarch64 (neoverse-n1, max); kernels: MLAS udot and ummla; speed not measured on hardware, set low',
  },
  {
    id: 'gather-int8-rows',
    op: 'Gather',
    mode: 'dynamic',
    weight: 'int8',
    granularity: ['row'],
    requires: [],
    kernels: [],
    exact: 'always',
    speed: 1,
    // Of Mul that broadcasts, behind the lookup of the scales.
    opset: 7,
    source: 'a table a quarter the size; only looked-up rows become float: lookups are no slower, memory is less',
  },
  {
    id: 'gather-uint8-tensor',
    op: 'Gather',
    mode: 'dynamic',
    weight: 'uint8',
    granularity: ['tensor'],
    requires: [],
    kernels: [],
    exact: 'always',
    speed: 1,
    opset: 10,
    source: "what Python's quantize_dynamic makes of embeddings",
  },
  {
    id: 'conv-dynamic-u8u8',
    op: 'Conv',
    mode: 'dynamic',
    weight: 'uint8',
    granularity: ['tensor'],
    requires: [],
    kernels: ['ConvInteger'],
    exact: 'always',
    speed: 0.9,
    opset: 11,
    source: 'measured: ConvInteger 0.76–1.15× of float32 Conv (Zen 4), never fused',
  },
  {
    id: 'conv-dynamic-u8s8',
    op: 'Conv',
    mode: 'dynamic',
    weight: 'int8',
    granularity: ['tensor'],
    requires: [],
    kernels: ['ConvInteger'],
    exact: 'always',
    speed: 0.3,
    opset: 11,
    source: 'measured: a scalar kernel, a quarter to a third of float32 Conv (AVX2, Zen 3); exact, it adds no pairs',
  },
];

/**
 * What ONNX Runtime's CPU kernels do by instruction set (version 1.30). Speeds are against its float32 kernel, one
 * thread, matrices of BERT-base, M ≥ 16 where a claim does not say `rows`.
 */
export const capabilities: readonly Capability[] = [
  ...dynamicCapabilities,
  ...staticCapabilities,
  ...weightOnlyCapabilities,
];
