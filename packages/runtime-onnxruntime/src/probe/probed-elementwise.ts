import { intAttribute, intsAttribute, type Value, type VariantBuilder } from '@optimum/core';
import { copiesOf, type ProbedKernel } from './probed-kernel.ts';

interface RowOperator {
  readonly kernel: string;
  readonly prepare?: (builder: VariantBuilder, value: Value) => Value;
  readonly build: (builder: VariantBuilder, value: Value, columns: number) => Value;
}

const contrib = 'com.microsoft';

/** With one operand for each column. */
const withColumns = (builder: VariantBuilder, columns: number): Value => builder.weights('float32', [columns]);

/** GELU as exporters write it; the runtime fuses what it recognises. */
function erfSubgraph(builder: VariantBuilder, value: Value): Value {
  const error = builder.add('Erf', [builder.add('Div', [value, builder.scale(Math.SQRT2)])]);
  const product = builder.add('Mul', [value, builder.add('Add', [error, builder.scale(1)])]);
  return builder.add('Mul', [product, builder.scale(0.5)]);
}

const unary = (kernel: string, op: string): RowOperator => ({
  kernel,
  build: (builder, value) => builder.add(op, [value]),
});

/** Their time depends on how many numbers there are. */
const elementwise: readonly RowOperator[] = [
  {
    kernel: 'add',
    build: (builder, value, columns) => builder.add('Add', [value, withColumns(builder, columns)]),
  },
  unary('relu', 'Relu'),
  unary('erf', 'Erf'),
  unary('tanh', 'Tanh'),
  unary('sigmoid', 'Sigmoid'),
  unary('sqrt', 'Sqrt'),
  { kernel: 'gelu-subgraph', build: erfSubgraph },
  { kernel: 'gelu', build: (builder, value) => builder.add('Gelu', [value], {}, contrib) },
  { kernel: 'gelu-fast', build: (builder, value) => builder.add('FastGelu', [value], {}, contrib) },
  {
    kernel: 'gelu-bias',
    build: (builder, value, columns) => builder.add('BiasGelu', [value, withColumns(builder, columns)], {}, contrib),
  },
  { kernel: 'quantize', build: (builder, value) => builder.quantize(value) },
  {
    kernel: 'dequantize',
    prepare: (builder, value) => builder.quantize(value),
    build: (builder, value) => builder.dequantize(value, 'uint8'),
  },
  {
    kernel: 'quantize-dynamic',
    build: (builder, value) => builder.quantizeDynamically(value)[0],
  },
  {
    kernel: 'transpose',
    build: (builder, value) => builder.add('Transpose', [value], { perm: intsAttribute([0, 2, 1]) }),
  },
];

/** Their time depends on how long a row is, too. */
const rowwise: readonly RowOperator[] = [
  {
    kernel: 'softmax',
    build: (builder, value) => builder.add('Softmax', [value], { axis: intAttribute(-1) }),
  },
  {
    kernel: 'reduce-mean',
    build: (builder, value) => builder.add('ReduceMean', [value], { axes: intsAttribute([-1]) }),
  },
  {
    kernel: 'layer-norm',
    build: (builder, value, columns) =>
      builder.add('LayerNormalization', [value, withColumns(builder, columns), withColumns(builder, columns)]),
  },
  {
    kernel: 'skip-layer-norm',
    build(builder, value, columns) {
      const factors = [withColumns(builder, columns), withColumns(builder, columns)];
      return builder.add('SkipLayerNormalization', [value, value, ...factors], {}, contrib);
    },
  },
];

function kernelOf({ kernel, prepare, build }: RowOperator, rows: number, columns: number): ProbedKernel {
  return {
    ...{ kernel, rows, depth: 1, columns },
    input: [1, rows, columns],
    branch: `${columns}`,
    copies: copiesOf(1),
    byteLength: 0,
    ...(prepare && { prepare }),
    build: (builder, value) => build(builder, value, columns),
  };
}

const atSizes = (operator: RowOperator): ProbedKernel[] => [1, 8, 768].map((rows) => kernelOf(operator, rows, 128));

const atRows = (operator: RowOperator): ProbedKernel[] =>
  [8, 512].flatMap((rows) => [32, 256].map((columns) => kernelOf(operator, rows, columns)));

export const probedElementwise: readonly ProbedKernel[] = [...elementwise.flatMap(atSizes), ...rowwise.flatMap(atRows)];
