import type { TensorShape, Variant, VariantBuilder } from '../evaluate/index.ts';
import { elementCount, floatAttribute, type Value } from '../ir/index.ts';

import type { Activation, Configuration } from './measure-operators-configuration.ts';

const variant = (kind: string, subject: unknown, rest: Omit<Variant, 'key'>): Variant => ({
  key: `${kind} ${JSON.stringify(subject, (_key, value) => (typeof value === 'bigint' ? String(value) : value))}`,
  ...rest,
});

/** Nothing but making the tensor that others work on: what is taken off their times. */
export const idle = (input: TensorShape): Variant =>
  variant('idle', input, { byteLength: 0, input, rank: input.dims.length, build: (_builder, value) => value });

export const quantization = (dims: readonly number[]): Variant =>
  variant('quantize', dims, {
    byteLength: 0,
    input: { elementType: 'float32', dims },
    rank: dims.length,
    build: (builder, value) => builder.quantize(value),
  });

export const dequantization = (dims: readonly number[]): Variant =>
  variant('dequantize', dims, {
    byteLength: 0,
    input: { elementType: 'uint8', dims },
    rank: dims.length,
    build: (builder, value) => builder.dequantize(value, 'uint8'),
  });

export const activationAlone = (activation: Activation, dims: readonly number[]): Variant =>
  variant(activation, dims, {
    byteLength: 0,
    input: { elementType: 'float32', dims },
    rank: dims.length,
    build: (builder, value) => activate(builder, value, activation),
  });

/** HardSwish as the canonical form has it before opset 14, which the runtime fuses. */
function activate(builder: VariantBuilder, value: Value, activation: Activation | undefined): Value {
  if (!activation) return value;
  if (activation !== 'HardSwish') return builder.add(activation, [value]);
  const gate = builder.add('HardSigmoid', [value], { alpha: floatAttribute(1 / 6), beta: floatAttribute(0.5) });
  return builder.add('Mul', [value, gate]);
}

export function floatOperator(configuration: Configuration): Variant {
  const { op, input, output, weight, attributes, activation, hasBias } = configuration;
  return variant('float', configuration, {
    byteLength: 4 * elementCount(weight),
    input: { elementType: 'float32', dims: input },
    rank: output.length,
    build(builder, value) {
      const operands = [value, builder.weights('float32', weight)];
      if (hasBias) operands.push(builder.weights('float32', [channelsOf(configuration).count]));
      return activate(builder, builder.add(op, operands, Object.fromEntries(attributes)), activation);
    },
  });
}

/** Output channels, and along which axis of the weight they lie. */
function channelsOf({ op, weight, attributes }: Configuration): { axis: number; count: number } {
  const isTransposed = attributes.some(([name, attribute]) => {
    return name === 'transB' && attribute.type === 'int' && Number(attribute.value) === 1;
  });
  const axis = op === 'Conv' || isTransposed ? 0 : 1;
  return { axis, count: weight[axis] as number };
}

/** Integers in, integers out. Relu is in the range of the output and needs no operator. */
export function staticOperator(configuration: Configuration, weightType: 'int8' | 'uint8'): Variant {
  const { op, input, output, weight, attributes, hasBias } = configuration;
  return variant(
    `static ${weightType}`,
    { ...configuration, activation: undefined },
    {
      byteLength: elementCount(weight),
      input: { elementType: 'uint8', dims: input },
      rank: output.length,
      build(builder, value) {
        const channels = channelsOf(configuration);
        const filters = builder.dequantize(builder.weights(weightType, weight), weightType, channels);
        const bias = hasBias ? builder.weights('int32', [channels.count]) : undefined;
        const operands = [builder.dequantize(value, 'uint8'), filters];
        if (bias) operands.push(builder.dequantize(bias, 'int32', { axis: 0, count: channels.count }));
        // The integer kernel of Gemm takes no factors: they are in the scales.
        const kept = attributes.filter(([name]) => name !== 'alpha' && name !== 'beta');
        return builder.quantize(builder.add(op, operands, Object.fromEntries(kept)));
      },
    },
  );
}

/** Float in, float out; `undefined` for Conv, whose dynamic form the runtime does not fuse. */
export function dynamicOperator(configuration: Configuration, weightType: 'int8' | 'uint8'): Variant | undefined {
  const { op, input, output, weight } = configuration;
  if (op === 'Conv') return undefined;
  const { axis, count } = channelsOf(configuration);
  const matrix = [weight[1 - axis] as number, count] as const;
  return variant(
    `dynamic ${weightType}`,
    { input, matrix },
    {
      byteLength: elementCount(weight),
      input: { elementType: 'float32', dims: input },
      rank: output.length,
      build: (builder, value) => builder.dynamicProduct(value, weightType, matrix),
    },
  );
}
