import type { ConstantRef } from '../analysis/index.ts';
import { elementCount, type Tensor } from '../ir/index.ts';
import type { TableScheme, WeightScheme } from '../plan/index.ts';
import type { WeightOrder, WeightSpec } from './weight-job.ts';

/** How an operator reads a weight, and how it is to be stored for it. */
export type WeightUse =
  /** A matrix of a product; `flip`: the reader transposes it (transB). `alpha` goes into the scales. */
  | {
      readonly kind: 'matrix';
      readonly scheme: WeightScheme;
      readonly flip: boolean;
      readonly alpha: number;
      readonly sameGrid: boolean;
    }
  /** Filters [O, C/g, …]; `inputFirst`: [C, O/g, …], as ConvTranspose has them. */
  | {
      readonly kind: 'filters';
      readonly scheme: WeightScheme;
      readonly inputFirst: boolean;
      readonly sameGrid: boolean;
    }
  /** An embedding table [V, H], perhaps read by a product with this range too. */
  | { readonly kind: 'table'; readonly scheme: TableScheme; readonly range: WeightScheme['range'] }
  /** A constant that is an operand like an activation: one asymmetric range for all of it. */
  | { readonly kind: 'operand'; readonly elementType: 'uint8' | 'int8' };

/** A bias of an integer product, in float: it becomes int32 together with the weight, whose scales it depends on. */
export interface BiasUse {
  /** As it stands in the model. */
  readonly tensor: Tensor;
  /** Name of the value that holds it. */
  readonly name: string | undefined;
  readonly values: Float32Array;
  readonly activationScale: number;
}

/** What tells the stored forms of one weight apart. */
export function keyOf(weight: ConstantRef, use: WeightUse): string {
  if (use.kind === 'operand') return `operand ${use.elementType} ${weight.dims}`;
  const { elementType, granularity } = use.scheme;
  if (use.kind === 'table') return `table ${elementType} ${granularity}`;
  const scheme = `${elementType} ${granularity} ${use.scheme.range} ${use.sameGrid}`;
  if (use.kind === 'filters') return `filters ${use.inputFirst} ${scheme}`;
  return `matrix ${isTransposed(weight, use.flip)} ${scheme} ${use.alpha}`;
}

/** The matrix is stored as [N, K], and the product wants [K, N]. */
export const isTransposed = (weight: ConstantRef, flip: boolean): boolean => weight.transposed !== flip;

/** The stored form, but for names. */
export type StoredForm = Pick<WeightOrder, 'dims' | 'scaleDims'> & { readonly spec: Omit<WeightSpec, 'name'> };

export function formOf(weight: ConstantRef, use: WeightUse, biases: readonly BiasUse[]): StoredForm {
  const form = formWithoutBias(weight, use);
  if (biases.length === 0) return form;
  const tasks = biases.map(({ values, activationScale }) => ({ values, activationScale }));
  return { ...form, spec: { ...form.spec, biases: tasks } };
}

function formWithoutBias(weight: ConstantRef, use: WeightUse): StoredForm {
  if (use.kind === 'matrix') return matrixForm(weight, use);
  if (use.kind === 'filters') return filterForm(weight, use);
  return use.kind === 'table' ? tableForm(weight, use) : operandForm(weight, use.elementType);
}

type UseOf<Kind extends WeightUse['kind']> = Extract<WeightUse, { kind: Kind }>;

function matrixForm(weight: ConstantRef, { scheme, flip, alpha, sameGrid }: UseOf<'matrix'>): StoredForm {
  const transposed = isTransposed(weight, flip);
  const [rows, columns] = storedDims(weight);
  const [k, n] = transposed ? [columns, rows] : [rows, columns];
  const isTensor = scheme.granularity === 'tensor';
  const scales = isTensor ? 'tensor' : transposed ? 'rows' : 'columns';
  const { elementType: elementType8, range } = scheme;
  return {
    spec: { rows, columns, transposed, elementType8, range, sameGrid, alpha, scales },
    dims: [k, n],
    scaleDims: isTensor ? [] : [n],
  };
}

function filterForm({ dims }: ConstantRef, { scheme, inputFirst, sameGrid }: UseOf<'filters'>): StoredForm {
  const [rows = 0, second = 0] = dims;
  const columns = elementCount(dims) / rows;
  const isTensor = scheme.granularity === 'tensor';
  const { elementType: elementType8, range } = scheme;
  const common = { rows, columns, transposed: false, elementType8, range, sameGrid, alpha: 1 } as const;
  if (isTensor) return { spec: { ...common, scales: 'tensor' }, dims, scaleDims: [] };
  if (!inputFirst) return { spec: { ...common, scales: 'rows', channels: second }, dims, scaleDims: [rows] };
  const columnsPerScale = columns / second;
  return { spec: { ...common, scales: 'columns', columnsPerScale }, dims, scaleDims: [second] };
}

/** Scales are [V, 1] by row. With one scale for all a table may have any rank. */
function tableForm(weight: ConstantRef, { scheme, range }: UseOf<'table'>): StoredForm {
  const isMatrix = weight.dims.length === 2;
  const [rows, columns] = isMatrix ? storedDims(weight) : [1, elementCount(weight.dims)];
  const isRow = scheme.granularity === 'row';
  const layout = { rows, columns, transposed: false, sameGrid: false, alpha: 1, range } as const;
  return {
    spec: { ...layout, elementType8: scheme.elementType, scales: isRow ? 'rows' : 'tensor' },
    dims: isMatrix ? [rows, columns] : weight.dims,
    scaleDims: isRow ? [rows, 1] : [],
  };
}

function operandForm({ dims }: ConstantRef, elementType8: 'uint8' | 'int8'): StoredForm {
  const layout = { rows: 1, columns: elementCount(dims), transposed: false, sameGrid: false, alpha: 1 } as const;
  return { spec: { ...layout, elementType8, range: 'full', scales: 'tensor' }, dims, scaleDims: [] };
}

/** Dims of the stored matrix, before a transposition on the way to the reader. */
function storedDims({ dims, transposed }: ConstantRef): readonly [number, number] {
  const [a = 0, b = 0] = dims;
  return transposed ? [b, a] : [a, b];
}
