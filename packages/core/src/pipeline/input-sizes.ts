import type { Model, Value } from '../ir/index.ts';
import { type DimensionKind, dimensionKindOf, symbolOf } from './dimensions.ts';
import { requiredInputs } from './make-inputs.ts';

/** How far a size of a model's inputs can be chosen: freely, not at all, or there is no such dimension. */
export type InputSize = 'any' | number | undefined;

export interface InputSizes {
  readonly batch: InputSize;
  readonly sequence: InputSize;
}

/** What a model's inputs leave open. Fixed sizes are told from their place: rows first, then tokens of ids and masks. */
export function inputSizesOf(model: Model): InputSizes {
  const inputs = requiredInputs(model);
  const kinds = new Set(inputs.flatMap(kindsOf));
  const ids = inputs.find(({ elementType, shape }) => elementType?.startsWith('int') && shape?.length === 2);
  const rows = inputs.map(({ shape }) => shape?.[0]);
  return {
    batch: kinds.has('batch') ? 'any' : rows.every((size) => size === rows[0]) ? fixed(rows[0]) : undefined,
    sequence: kinds.has('sequence') || kinds.has('total') ? 'any' : fixed(ids?.shape?.[1]),
  };
}

const kindsOf = ({ name = '', shape = [] }: Value): DimensionKind[] =>
  (shape ?? []).flatMap((dim, axis) => {
    const symbol = symbolOf(dim, name, axis);
    return symbol === undefined ? [] : [dimensionKindOf(symbol)];
  });

const fixed = (dim: unknown): number | undefined => (typeof dim === 'number' ? dim : undefined);
