import type { ConstantRef } from '../../analysis/index.ts';
import type { Node } from '../../ir/index.ts';
import { channelAt, convolutionOf } from './convolution.ts';
import { productOf } from './product.ts';
import type { Factors } from './scale-channels.ts';

/** A product or convolution as its channels see it. */
export interface Layer {
  readonly kind: 'product' | 'convolution';
  readonly node: Node;
  readonly weight: ConstantRef;
  readonly inputs: number;
  readonly outputs: number;
  readonly groups: number;
  /** Channels of the weight's element at [first, second, …] as the node reads it. */
  readonly inputOf: (first: number, second: number) => number;
  readonly outputOf: (first: number, second: number) => number;
}

export function layerOf(node: Node): Layer | undefined {
  const product = productOf(node);
  if (product) {
    const [inputOf, outputOf] = product.isTransposed ? [takeSecond, takeFirst] : [takeFirst, takeSecond];
    const { weight, inputs, outputs } = product;
    return { kind: 'product', node, weight, inputs, outputs, groups: 1, inputOf, outputOf };
  }
  const convolution = convolutionOf(node);
  if (!convolution) return undefined;
  const { weight, outputs, groups, groupInputs } = convolution;
  const inputOf = (filter: number, channel: number): number => channelAt(convolution, channel, filter);
  const inputs = groups * groupInputs;
  return { kind: 'convolution', node, weight, inputs, outputs, groups, inputOf, outputOf: takeFirst };
}

const takeFirst = (first: number, _second: number): number => first;
const takeSecond = (_first: number, second: number): number => second;

/** Multiplied to a weight along its input and its output channels. */
export interface LayerFactors {
  readonly inputs: Factors;
  readonly outputs: Factors;
}

/** Largest magnitudes and sums of squares of a weight by channel, in float64. */
export interface LayerStatistics {
  readonly inputMax: Float64Array;
  readonly inputEnergy: Float64Array;
  readonly outputMax: Float64Array;
  readonly outputEnergy: Float64Array;
}

/** One pass over the weight as it would be with the factors; nothing is held. */
export function layerStatistics(layer: Layer, factors: LayerFactors): LayerStatistics {
  const { weight, inputs, outputs, inputOf, outputOf } = layer;
  const statistics: LayerStatistics = {
    inputMax: new Float64Array(inputs),
    inputEnergy: new Float64Array(inputs),
    outputMax: new Float64Array(outputs),
    outputEnergy: new Float64Array(outputs),
  };
  const [first = 1, second = 1] = weight.dims;
  const positions = weight.tensor.elementCount / (first * second);
  let index = 0;
  for (const chunk of weight.tensor.chunks()) {
    for (const value of new Float32Array(new Uint8Array(chunk).buffer)) {
      const row = Math.floor(index++ / positions);
      const [a, b] = weight.transposed
        ? [row % first, Math.floor(row / first)]
        : [Math.floor(row / second), row % second];
      const [input, output] = [inputOf(a, b), outputOf(a, b)];
      add(statistics, input, output, value * (factors.inputs[input] as number) * (factors.outputs[output] as number));
    }
  }
  return statistics;
}

function add(statistics: LayerStatistics, input: number, output: number, value: number): void {
  const { inputMax, inputEnergy, outputMax, outputEnergy } = statistics;
  const magnitude = Math.abs(value);
  inputMax[input] = Math.max(inputMax[input] as number, magnitude);
  outputMax[output] = Math.max(outputMax[output] as number, magnitude);
  inputEnergy[input] = (inputEnergy[input] as number) + value * value;
  outputEnergy[output] = (outputEnergy[output] as number) + value * value;
}
