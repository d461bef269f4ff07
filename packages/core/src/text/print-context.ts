import type { Tensor, Value } from '../ir/index.ts';
import { printElements, spellingOf } from './element-text.ts';
import { printElementType } from './print-type.ts';
import { quote } from './strings.ts';

/**
 * How much of the weights a text or a comparison holds: tensors of at most so many elements with their content, larger
 * ones by type and dims alone. `'elided'` is 16: shapes, axes and scalars are whole, weights are not.
 */
export type WeightsOption = 'elided' | number;

export const maxElementsOf = (weights: WeightsOption = 'elided'): number => (weights === 'elided' ? 16 : weights);

/** What all printing functions share. */
export interface PrintContext {
  readonly names: ReadonlyMap<Value, string>;
  readonly maxElements: number;
}

/** A broken model is printed too: what nothing makes has the name that it says it has. */
export const nameOf = (value: Value | undefined, { names }: Pick<PrintContext, 'names'>): string =>
  value ? (names.get(value) ?? value.name ?? '') : '';

/** The data of an initializer, which may also be an input. */
export function dataOf({ origin }: Value): Tensor | undefined {
  if (origin.kind === 'initializer') return origin.tensor;
  return origin.kind === 'input' ? origin.fallback : undefined;
}

export const printTensorType = ({ elementType, dims }: Tensor): string =>
  `${printElementType(elementType)}${dims.length === 0 ? '' : `[${dims.join(',')}]`}`;

/**
 * What stands after the type (and name) of a tensor: its elements, or `= ["elided": "seed"]`, which has the form of
 * official external data and from which the parser makes deterministic content.
 */
export function printTensorData(tensor: Tensor, seed: string, { maxElements }: PrintContext): string {
  if (tensor.elementCount > maxElements) return `["elided": ${quote(seed)}]`;
  const separator = spellingOf(tensor.elementType) === 'string' ? ', ' : ',';
  return `{${printElements(tensor).join(separator)}}`;
}
