import { type ConstantRef, constantOf } from '../../analysis/index.ts';
import type { Node, Value } from '../../ir/index.ts';
import type { Matrix } from './matrix.ts';

/** A Conv whose filters are a constant float32 tensor [outputs, inputs / groups, …]. */
export interface Convolution {
  readonly node: Node;
  readonly source: Value;
  readonly weight: ConstantRef;
  readonly outputs: number;
  readonly groups: number;
  /** Input channels that each filter sees. */
  readonly groupInputs: number;
}

export function convolutionOf(node: Node): Convolution | undefined {
  const [source, operand] = node.inputs;
  const weight = node.is('Conv') && operand ? constantOf(operand) : undefined;
  if (!source || !weight || weight.elementType !== 'float32' || weight.tensor.elementType !== 'float32')
    return undefined;
  const [outputs, groupInputs] = weight.dims;
  const groups = node.int('group', 1);
  const isSound = weight.dims.length > 2 && outputs && groupInputs && outputs % groups === 0 && !weight.transposed;
  return isSound ? { node, source, weight, outputs, groups, groupInputs } : undefined;
}

/**
 * The filters as a matrix [positions · inputs / groups, outputs], input channels innermost: the order in which
 * channel-last kernels sum, and pair, products.
 */
export function readFilters(convolution: Convolution): Matrix {
  const { weight, outputs } = convolution;
  const size = weight.tensor.elementCount;
  const placeOf = placesOf(convolution);
  const values = new Float32Array(size);
  let index = 0;
  for (const chunk of weight.tensor.chunks())
    for (const value of new Float32Array(new Uint8Array(chunk).buffer)) values[placeOf(index++)] = value;
  return { rows: size / outputs, columns: outputs, values };
}

/** A matrix of `readFilters` as filters lie in the model, [outputs, inputs / groups, …]. */
export function storedFilters(convolution: Convolution, { values }: Matrix): Float32Array {
  const placeOf = placesOf(convolution);
  return values.map((_, index) => values[placeOf(index)] as number);
}

/** Where the matrix of `readFilters` has the element at an index of the stored filters. */
function placesOf({ weight, outputs, groupInputs }: Convolution): (index: number) => number {
  const rows = weight.tensor.elementCount / outputs;
  const positions = rows / groupInputs;
  return (index) => {
    const filter = Math.floor(index / rows);
    const [channel, position] = [Math.floor((index % rows) / positions), index % positions];
    return (position * groupInputs + channel) * outputs + filter;
  };
}

/** Input channel that a filter sees at a row of `readFilters`. */
export const channelAt = ({ outputs, groups, groupInputs }: Convolution, row: number, filter: number): number =>
  Math.floor(filter / (outputs / groups)) * groupInputs + (row % groupInputs);
