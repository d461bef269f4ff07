import { elementCount, floatAttribute, intAttribute, type Value } from '../ir/index.ts';
import type { Branch, TensorShape, Variant } from './measure-operators-branch.ts';
import type { Activation, Configuration } from './measure-operators-configuration.ts';

const variant = (kind: string, subject: unknown, rest: Omit<Variant, 'key'>): Variant => ({
  key: `${kind} ${JSON.stringify(subject, (_key, value) => (typeof value === 'bigint' ? String(value) : value))}`,
  ...rest,
});

/** Nothing but making the tensor that others work on: what is taken off their times. */
export const idle = (input: TensorShape): Variant =>
  variant('idle', input, { byteLength: 0, input, rank: input.dims.length, build: (_branch, value) => value });

export const quantization = (dims: readonly number[]): Variant =>
  variant('quantize', dims, {
    byteLength: 0,
    input: { elementType: 'float32', dims },
    rank: dims.length,
    build: (branch, value) => branch.quantize(value),
  });

export const dequantization = (dims: readonly number[]): Variant =>
  variant('dequantize', dims, {
    byteLength: 0,
    input: { elementType: 'uint8', dims },
    rank: dims.length,
    build: (branch, value) => branch.dequantize(value, 'uint8'),
  });

export const activationAlone = (activation: Activation, dims: readonly number[]): Variant =>
  variant(activation, dims, {
    byteLength: 0,
    input: { elementType: 'float32', dims },
    rank: dims.length,
    build: (branch, value) => activate(branch, value, activation),
  });

/** HardSwish as the canonical form has it before opset 14, which the runtime fuses. */
function activate(branch: Branch, value: Value, activation: Activation | undefined): Value {
  if (!activation) return value;
  if (activation !== 'HardSwish') return branch.add(activation, [value]);
  const gate = branch.add('HardSigmoid', [value], { alpha: floatAttribute(1 / 6), beta: floatAttribute(0.5) });
  return branch.add('Mul', [value, gate]);
}

export function floatOperator(configuration: Configuration): Variant {
  const { op, input, output, weight, attributes, activation, hasBias } = configuration;
  return variant('float', configuration, {
    byteLength: 4 * elementCount(weight),
    input: { elementType: 'float32', dims: input },
    rank: output.length,
    build(branch, value) {
      const operands = [value, branch.weights('float32', weight)];
      if (hasBias) operands.push(branch.weights('float32', [channelsOf(configuration).count]));
      return activate(branch, branch.add(op, operands, Object.fromEntries(attributes)), activation);
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
      build(branch, value) {
        const channels = channelsOf(configuration);
        const filters = branch.dequantize(branch.weights(weightType, weight), weightType, channels);
        const bias = hasBias ? branch.weights('int32', [channels.count]) : undefined;
        const operands = [branch.dequantize(value, 'uint8'), filters];
        if (bias) operands.push(branch.dequantize(bias, 'int32', { axis: 0, count: channels.count }));
        // The integer kernel of Gemm takes no factors: they are in the scales.
        const kept = attributes.filter(([name]) => name !== 'alpha' && name !== 'beta');
        return branch.quantize(branch.add(op, operands, Object.fromEntries(kept)));
      },
    },
  );
}

/** Float in, float out; `undefined` for Conv, whose dynamic form the runtime does not fuse. */
export function dynamicOperator(configuration: Configuration, weightType: 'int8' | 'uint8'): Variant | undefined {
  const { op, input, output, weight } = configuration;
  if (op === 'Conv') return undefined;
  const { axis, count } = channelsOf(configuration);
  const matrix = [weight[1 - axis] as number, count];
  return variant(
    `dynamic ${weightType}`,
    { input, matrix },
    {
      byteLength: elementCount(weight),
      input: { elementType: 'float32', dims: input },
      rank: output.length,
      build(branch, value) {
        const [quantized, scale, zeroPoint] = branch.quantizeDynamically(value);
        const operands = [
          quantized,
          branch.weights(weightType, matrix),
          zeroPoint,
          branch.zeroPoint(weightType, count),
        ];
        const sum = branch.add('Cast', [branch.add('MatMulInteger', operands)], { to: intAttribute(1) });
        return branch.add('Mul', [sum, branch.add('Mul', [scale, branch.scale(undefined, count)])]);
      },
    },
  );
}
