import type { Node } from '../../ir/index.ts';
import { numbersOf } from '../small-constant.ts';
import type { Placement } from './placement.ts';

const mover = (op: string, more: Pick<Placement, 'opset' | 'refuse'> = {}): Placement => ({
  op,
  inputs: ['activation', 'plain'],
  output: 'shared',
  order: 'mover',
  ...more,
});

function nearestOnly(node: Node): string | undefined {
  if (node.string('mode', 'nearest') !== 'nearest') return 'it interpolates between numbers';
  const isCropping = node.string('coordinate_transformation_mode', 'half_pixel') === 'tf_crop_and_resize';
  return isCropping ? 'it fills in a number of its own' : undefined;
}

const withoutIndices = ({ outputs }: Node): string | undefined =>
  outputs[1] ? 'it gives indices too, which only the float kernel does' : undefined;

/** What is put around integers must be one of them: zero always is. */
function zeroPadding(node: Node): string | undefined {
  if (node.string('mode', 'constant') !== 'constant' || !node.inputs[2]) return undefined;
  return numbersOf(node.inputs[2])?.every((number) => number === 0) ? undefined : 'it pads with another number than 0';
}

/**
 * Operators that only move numbers: they run on integers as they are, with the parameters of their input, and only where
 * both sides are integers already.
 */
export const movers: readonly Placement[] = [
  ...['Identity', 'Reshape', 'Transpose', 'Squeeze', 'Unsqueeze', 'Flatten', 'Slice', 'Split'].map((op) => mover(op)),
  ...['Expand', 'Tile', 'Gather', 'GatherElements'].map((op) => mover(op)),
  mover('MaxPool', { opset: 12, refuse: withoutIndices }),
  mover('ReduceMax', { opset: 12 }),
  mover('ReduceMin', { opset: 12 }),
  mover('DepthToSpace', { opset: 13 }),
  mover('SpaceToDepth', { opset: 13 }),
  mover('Resize', { opset: 11, refuse: nearestOnly }),
  mover('Pad', { opset: 13, refuse: zeroPadding }),
];
