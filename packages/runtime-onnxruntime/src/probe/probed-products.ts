import { intAttribute, type Value, type VariantBuilder } from '@optimum/core';
import { copiesOf, type ProbedKernel } from './probed-kernel.ts';

/** Rows of the activation: one token, a few, a sentence. */
const rowCounts = [1, 4, 16, 128] as const;

/** Cores do about so many multiplications with float32 in a microsecond; fewer with one row. */
const perMicrosecond = 25_000;

type Matrix = readonly [depth: number, columns: number];

interface ProductForm {
  readonly kernel: string;
  readonly bitsPerWeight: number;
  /** @param seed of the weights: what differs is not stored once */
  readonly build: (builder: VariantBuilder, value: Value, matrix: Matrix, seed?: number) => Value;
}

const productOf = ({ kernel, bitsPerWeight, build }: ProductForm, rows: number, matrix: Matrix): ProbedKernel => {
  const [depth, columns] = matrix;
  return {
    ...{ kernel, rows, depth, columns },
    input: [rows, depth],
    branch: `${depth}×${columns}`,
    copies: copiesOf(1 + (depth * columns) / perMicrosecond),
    byteLength: (depth * columns * bitsPerWeight) / 8,
    build: (builder, value) => build(builder, value, matrix),
  };
};

const float32: ProductForm = {
  kernel: 'matmul-float32',
  bitsPerWeight: 32,
  build: (builder, value, matrix, seed) => builder.add('MatMul', [value, builder.weights('float32', matrix, seed)]),
};

const dynamic = (weightType: 'int8' | 'uint8'): ProductForm => ({
  kernel: weightType === 'int8' ? 'matmul-u8s8-dynamic' : 'matmul-u8u8-dynamic',
  bitsPerWeight: 8,
  build: (builder, value, matrix, seed) => builder.dynamicProduct(value, weightType, matrix, seed),
});

/** Float in, float out: QuantizeLinear, then the product that the runtime makes of the QDQ form. */
const calibrated: ProductForm = {
  kernel: 'matmul-u8s8-static',
  bitsPerWeight: 8,
  build(builder, value, matrix) {
    const weights = builder.dequantize(builder.weights('int8', matrix), 'int8', { axis: 1, count: matrix[1] });
    return builder.add('MatMul', [builder.dequantize(builder.quantize(value), 'uint8'), weights]);
  },
};

/** Written as integers, because the runtime would make u8 activations of the QDQ form. */
const signed: ProductForm = {
  kernel: 'matmul-s8s8-static',
  bitsPerWeight: 8,
  build(builder, value, matrix) {
    const operands = [builder.quantize(value, 'int8'), builder.weights('int8', matrix)];
    const sum = builder.add('Cast', [builder.add('MatMulInteger', operands)], { to: intAttribute(1) });
    return builder.add('Mul', [sum, builder.scale()]);
  },
};

const nbits = (bits: number, block: number, accuracyLevel: 0 | 4): ProductForm => ({
  kernel: `matmul-${bits}bit-block${block}-level${accuracyLevel}`,
  bitsPerWeight: bits,
  build(builder, value, [depth, columns]) {
    const blocks = Math.ceil(depth / block);
    const packed = builder.weights('uint8', [columns, blocks, (block * bits) / 8]);
    const attributes = { K: depth, N: columns, bits, block_size: block, accuracy_level: accuracyLevel };
    return builder.add(
      'MatMulNBits',
      [value, packed, builder.scale(undefined, columns * blocks)],
      Object.fromEntries(Object.entries(attributes).map(([name, number]) => [name, intAttribute(number)])),
      'com.microsoft',
    );
  },
});

const grid = (form: ProductForm, matrices: readonly Matrix[]): ProbedKernel[] =>
  rowCounts.flatMap((rows) => matrices.map((matrix) => productOf(form, rows, matrix)));

const widths = [32, 128, 384, 1024] as const;
const everyMatrix: readonly Matrix[] = widths.flatMap((depth) => widths.map((columns): Matrix => [depth, columns]));
const twoMatrices: readonly Matrix[] = [
  [128, 128],
  [768, 768],
];

/**
 * Products whose weights lie outside of the caches, because many others are read between two uses: as in a model. `rows`
 * says how many matrices take turns.
 */
function coldProducts(form: ProductForm, count: number): ProbedKernel {
  const matrix: Matrix = [1024, 1024];
  return {
    ...productOf(form, 1, matrix),
    kernel: `${form.kernel}-cold`,
    rows: count,
    byteLength: (count * 1024 * 1024 * form.bitsPerWeight) / 8,
    branch: `of ${count}`,
    copies: 1,
    count,
    build(builder, value) {
      // One after the other, so that only one activation is alive.
      let current = value;
      for (let index = 0; index < count; index++) current = form.build(builder, current, matrix, index);
      return current;
    },
  };
}

/** Heads of an attention: products of two activations, which are packed while they run. */
const heads = 16;

function computedProduct(rows: number, depth: number, columns: number): ProbedKernel {
  return {
    ...{ kernel: 'matmul-float32-computed', rows, depth, columns },
    input: [heads, rows, depth],
    branch: `${depth}×${columns}`,
    copies: copiesOf(1 + (heads * depth * columns) / perMicrosecond),
    byteLength: 4 * heads * depth * columns,
    count: heads,
    // The runtime packs constants when it loads only where they are matrices: of rank 3 they are as good as computed.
    build: (builder, value) => builder.add('MatMul', [value, builder.weights('float32', [heads, depth, columns])]),
  };
}

export const probedProducts: readonly ProbedKernel[] = [
  ...grid(float32, everyMatrix),
  ...grid(dynamic('int8'), everyMatrix),
  ...[dynamic('uint8'), calibrated, signed].flatMap((form) => grid(form, twoMatrices)),
  ...[2, 4, 8].flatMap((bits) =>
    [32, 128].flatMap((block) => ([0, 4] as const).flatMap((level) => grid(nbits(bits, block, level), [[768, 768]]))),
  ),
  ...[8, 128].flatMap((rows) =>
    [16, 128].flatMap((depth) => [16, 128].map((columns) => computedProduct(rows, depth, columns))),
  ),
  // Last, because their weights fill a process of their own.
  coldProducts(float32, 8),
  coldProducts(dynamic('int8'), 24),
];
