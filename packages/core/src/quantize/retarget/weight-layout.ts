import type { IntegerProduct } from './integer-products.ts';

/** How a stored weight lies, as one matrix with its output channels along one axis. */
export interface WeightLayout {
  readonly rows: number;
  readonly columns: number;
  /** The stored axis along which the output channels run; pairs run along the other one. */
  readonly channels: 'rows' | 'columns';
  /** Filters: input channels, so that pairs are found in the order in which convolutions read them. */
  readonly inputChannels?: number;
  /** Axis of the output channels as the reader sees the weight. */
  readonly axis: number;
}

/** Number of output channels. */
export const channelCount = ({ rows, columns, channels }: WeightLayout): number =>
  channels === 'rows' ? rows : columns;

/** `undefined` for weights that are no matrix and no filters, or that are moved on their way in a manner not known here. */
export function layoutOf({ node, op, stored }: IntegerProduct): WeightLayout | undefined {
  if (!stored) return undefined;
  const { dims, transposed } = stored;
  if (op === 'Conv') {
    const [rows = 0, inputChannels = 0, ...kernel] = dims;
    if (transposed || kernel.length === 0) return undefined;
    const columns = kernel.reduce((product, size) => product * size, inputChannels);
    return { rows, columns, channels: 'rows', inputChannels, axis: 0 };
  }
  const [first = 0, second = 0] = dims;
  if (dims.length !== 2) return undefined;
  const isFlipped = node.int('transB', 0) === 1;
  const [rows, columns] = transposed ? [second, first] : [first, second];
  return { rows, columns, channels: transposed !== isFlipped ? 'rows' : 'columns', axis: isFlipped ? 0 : 1 };
}
