import type { ConstantRef } from '../analysis/index.ts';
import type { Node } from '../ir/index.ts';
import type { WeightScheme } from '../plan/index.ts';
import { filterMatrices, type PairedMatrix } from './saturation-matrices.ts';
import { quantizedWeight } from './weight-job.ts';
import { formOf, type WeightUse } from './weight-use.ts';

/**
 * The weight of a MatMul, Gemm or Conv in 8 bits of the full range, as the matrices that its kernel multiplies by: one,
 * or one for each group of a convolution. Computes the weight, which is not kept.
 */
export function fullRangeMatrices(node: Node, weight: ConstantRef, scheme: WeightScheme): PairedMatrix[] {
  const full: WeightScheme = { ...scheme, range: 'full' };
  const use = useOf(node, full);
  const { spec, dims, scaleDims } = formOf(weight, use, []);
  const { tensor, root } = weight;
  const { quantized } = quantizedWeight({ tensor, spec: { ...spec, name: root.name ?? '' }, dims, scaleDims });
  const bytes = quantized.bytes();
  const values = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (use.kind === 'filters') return filterMatrices(values, dims, node.int('group', 1));
  const [rows = 0, columns = 0] = dims;
  return [{ values, rows, columns }];
}

const useOf = (node: Node, scheme: WeightScheme): Extract<WeightUse, { kind: 'matrix' | 'filters' }> =>
  node.op === 'Conv'
    ? { kind: 'filters', scheme, inputFirst: false, sameGrid: false }
    : { kind: 'matrix', scheme, flip: node.int('transB', 0) === 1, alpha: 1, sameGrid: false };
