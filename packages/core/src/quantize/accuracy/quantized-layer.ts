import type { Plan, WeightScheme } from '../../plan/index.ts';
import type { RoundedWeight } from '../weight-override.ts';
import { defaultGrid, dequantize, type QuantizedMatrix, quantizeWeight, type WeightGrid } from './emulate-product.ts';
import type { Matrix } from './matrix.ts';

/** How the weights of the layers are stored, by node (see `nodeIds`). */
export type GridOf = (nodeId: string) => WeightGrid | undefined;

/** The grids of a plan; without one, every layer is int8 by channel. `undefined` for layers that stay float. */
export function gridsOf(plan: Plan | undefined): GridOf {
  if (!plan) return () => defaultGrid;
  const schemes = new Map<string, WeightScheme>();
  for (const { id, decision } of plan.entries)
    if ('weight' in decision && decision.weight) schemes.set(id, decision.weight);
  return (nodeId) => {
    const scheme = schemes.get(nodeId);
    // Python's unsigned weights have a zero point of their own, which is no int8 grid.
    return scheme?.elementType === 'uint8' && plan.recipe === 'compatible' ? undefined : scheme;
  };
}

/** The integers of a weight [inputs, outputs]: those that an algorithm chose, else the nearest. */
function integersOf(weight: Matrix, grid: WeightGrid, override: RoundedWeight | undefined): QuantizedMatrix {
  if (!override) return quantizeWeight(weight, grid);
  const { rows, columns } = weight;
  const { values, scales, scalesAlong } = override;
  return { rows, columns, scales, values: scalesAlong === 'columns' ? values : transposed(values, columns, rows) };
}

/** Ŵ − W: what the integers of a weight [inputs, outputs] are off by. */
export function weightError(weight: Matrix, grid: WeightGrid, override?: RoundedWeight): Matrix {
  const { values } = dequantize(integersOf(weight, grid, override));
  return { ...weight, values: values.map((value, index) => value - (weight.values[index] as number)) };
}

/** [rows, columns] to [columns, rows] */
export const transposed = (values: Int8Array, rows: number, columns: number): Int8Array =>
  values.map((_, place) => values[(place % rows) * columns + Math.floor(place / rows)] as number);
