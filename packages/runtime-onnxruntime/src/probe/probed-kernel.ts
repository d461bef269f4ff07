import {
  int64Tensor,
  intAttribute,
  type KernelShape,
  type Value,
  type Variant,
  type VariantBuilder,
} from '@optimum/core';

/** A kernel at one shape, as it stands in the cost table, and how it is run. */
export interface ProbedKernel extends KernelShape {
  readonly kernel: string;
  /** Dims of the float32 tensor that it works on. */
  readonly input: readonly number[];
  /** Bytes of the weights of one copy. */
  readonly byteLength: number;
  /** Kernels that differ in `rows` alone have the same branch. */
  readonly branch: string;
  /** How many are run at once: see `copiesOf`. The same for all of a branch. */
  readonly copies: number;
  /** What comes before it and is not counted. */
  readonly prepare?: (builder: VariantBuilder, value: Value) => Value;
  readonly build: (builder: VariantBuilder, value: Value) => Value;
  /** Rank of what it makes. @defaultValue that of the input */
  readonly rank?: number;
  /** How many times the kernel's shape is in one copy. @defaultValue 1 */
  readonly count?: number;
}

/** A run and the clock cost some microseconds, so what is short is run in copies until it takes about this long. */
const enoughUs = 20;
const mostCopies = 12;

/** Kernels with the same branch are one graph, run at several shapes. */
export const branchOf = ({ kernel, branch }: ProbedKernel): string => `${kernel} ${branch}`;

/** The copies of a kernel. */
export function variantOf(probed: ProbedKernel): Variant {
  const { kernel, rows, depth, columns, byteLength, input, copies, rank = input.length } = probed;
  return {
    key: `${kernel} ${rows}×${depth}×${columns}`,
    branch: branchOf(probed),
    byteLength: copies * byteLength,
    input: { elementType: 'float32', dims: input },
    rank: 1,
    build: (builder, value) =>
      inCopies(builder, value, copies, rank, (one) => probed.build(builder, prepared(probed, builder, one))),
  };
}

/** The same without the kernel: what is taken off. Kernels with the same surroundings share one. */
export function surroundingsOf(probed: ProbedKernel): Variant {
  const { kernel, input, copies } = probed;
  const branch = `nothing of rank ${input.length} in ${copies}${probed.prepare ? ` for ${kernel}` : ''}`;
  return {
    key: `${branch}: ${input.join('×')}`,
    branch,
    byteLength: 0,
    input: { elementType: 'float32', dims: input },
    rank: 1,
    build: (builder, value) => inCopies(builder, value, copies, input.length, (one) => prepared(probed, builder, one)),
  };
}

/** How many copies of something that takes about so long are run at once. @param expectedUs on a slow core */
export const copiesOf = (expectedUs: number): number =>
  Math.min(mostCopies, Math.max(1, Math.ceil(enoughUs / expectedUs)));

const prepared = ({ prepare }: ProbedKernel, builder: VariantBuilder, value: Value): Value =>
  prepare ? prepare(builder, value) : value;

/** Each copy gets numbers of its own: the runtime computes only once what is the same. */
function inCopies(
  builder: VariantBuilder,
  value: Value,
  copies: number,
  rank: number,
  build: (value: Value) => Value,
): Value {
  const firsts = Array.from({ length: copies }, (_, copy) => {
    const result = build(builder.add('Add', [value, builder.scale(copy / 8)]));
    const place = builder.constant(int64Tensor([1, rank], new Array<number>(rank).fill(0)));
    return builder.add('Cast', [builder.add('GatherND', [result, place])], { to: intAttribute(1) });
  });
  return builder.add('Sum', firsts);
}
