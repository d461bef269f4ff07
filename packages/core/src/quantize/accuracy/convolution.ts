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
export function readFilters({ weight, outputs, groupInputs }: Convolution): Matrix {
  const size = weight.tensor.elementCount;
  const rows = size / outputs;
  const positions = rows / groupInputs;
  const values = new Float32Array(size);
  let index = 0;
  for (const chunk of weight.tensor.chunks()) {
    for (const value of new Float32Array(new Uint8Array(chunk).buffer)) {
      const filter = Math.floor(index / rows);
      const [channel, position] = [Math.floor((index % rows) / positions), index % positions];
      values[(position * groupInputs + channel) * outputs + filter] = value;
      index++;
    }
  }
  return { rows, columns: outputs, values };
}

/** Input channel that a filter sees at a row of `readFilters`. */
export const channelAt = ({ outputs, groups, groupInputs }: Convolution, row: number, filter: number): number =>
  Math.floor(filter / (outputs / groups)) * groupInputs + (row % groupInputs);
