import { intAttribute, intsAttribute, type Value, type VariantBuilder } from '@optimum/core';
import { copiesOf, type ProbedKernel } from './probed-kernel.ts';

/** Kinds of filters: edge of the filter, and whether each channel has its own. */
const filters = {
  '1x1': { size: 1, isDepthwise: false },
  '3x3': { size: 3, isDepthwise: false },
  depthwise: { size: 3, isDepthwise: true },
} as const;

type FilterName = keyof typeof filters;

interface Place {
  readonly name: FilterName;
  /** Edge of the square image. */
  readonly edge: number;
  readonly channels: number;
}

interface ConvolutionForm {
  readonly kernel: string;
  readonly prepare?: (builder: VariantBuilder, value: Value) => Value;
  readonly build: (builder: VariantBuilder, value: Value, place: Place) => Value;
}

const dimsOf = ({ name, channels }: Place): readonly [number, number, number, number] => {
  const { size, isDepthwise } = filters[name];
  return [channels, isDepthwise ? 1 : channels, size, size];
};

function attributesOf({ name, channels }: Place) {
  const { size, isDepthwise } = filters[name];
  const margin = (size - 1) / 2;
  return { pads: intsAttribute([margin, margin, margin, margin]), group: intAttribute(isDepthwise ? channels : 1) };
}

const forms: readonly ConvolutionForm[] = [
  {
    kernel: 'conv-float32',
    build: (builder, value, place) =>
      builder.add('Conv', [value, builder.weights('float32', dimsOf(place))], attributesOf(place)),
  },
  {
    kernel: 'conv-u8s8-static',
    prepare: (builder, value) => builder.quantize(value),
    build(builder, value, place) {
      const channels = { axis: 0, count: place.channels };
      const weights = builder.dequantize(builder.weights('int8', dimsOf(place)), 'int8', channels);
      const operands = [builder.dequantize(value, 'uint8'), weights];
      return builder.quantize(builder.add('Conv', operands, attributesOf(place)));
    },
  },
  {
    kernel: 'conv-u8u8-dynamic',
    build(builder, value, place) {
      const [quantized, scale, zeroPoint] = builder.quantizeDynamically(value);
      const operands = [quantized, builder.weights('uint8', dimsOf(place)), zeroPoint, builder.zeroPoint('uint8')];
      const sum = builder.add('ConvInteger', operands, attributesOf(place));
      const product = builder.add('Cast', [sum], { to: intAttribute(1) });
      return builder.add('Mul', [product, builder.add('Mul', [scale, builder.scale()])]);
    },
  },
];

/** Slow cores do about so many multiplications in a microsecond. */
const perMicrosecond = 12_000;

const edges = [7, 28] as const;
const leastRows = edges[0] ** 2;

function convolutionOf({ kernel, prepare, build }: ConvolutionForm, place: Place): ProbedKernel {
  const { name, edge, channels } = place;
  const [, inputs, height, width] = dimsOf(place);
  const depth = inputs * height * width;
  const rows = edge * edge;
  return {
    ...{ kernel: `${kernel}-${name}`, rows, depth, columns: channels },
    input: [1, channels, edge, edge],
    byteLength: 4 * channels * depth,
    branch: `${channels}`,
    copies: copiesOf(5 + (leastRows * depth * channels) / perMicrosecond),
    ...(prepare && { prepare }),
    build: (builder, value) => build(builder, value, place),
  };
}

/** `rows`: positions of the output; `depth`: multiplications for one of its numbers; `columns`: output channels. */
export const probedConvolutions: readonly ProbedKernel[] = forms.flatMap((form) =>
  (Object.keys(filters) as FilterName[]).flatMap((name) =>
    edges.flatMap((edge) => [32, 128].map((channels) => convolutionOf(form, { name, edge, channels }))),
  ),
);
