import type { TensorData } from '@optimum/core';

/** One sample as a batch of one, unless it has as many axes as the model takes. */
export const inBatch = (tensor: TensorData, shape: readonly unknown[] | undefined): TensorData =>
  shape?.length === tensor.dims.length ? tensor : { ...tensor, dims: [1, ...tensor.dims] };

/** A batch of one as a batch of `count`, all the same: some models take no other. */
export function repeated(tensor: TensorData, count: number): TensorData {
  const { dims, bytes, strings } = tensor;
  const repeatedBytes = new Uint8Array(bytes.byteLength * count);
  for (let index = 0; index < count; index++) repeatedBytes.set(bytes, index * bytes.byteLength);
  return {
    ...tensor,
    dims: [count, ...dims.slice(1)],
    bytes: repeatedBytes,
    ...(strings && { strings: Array.from({ length: count }, () => strings).flat() }),
  };
}
