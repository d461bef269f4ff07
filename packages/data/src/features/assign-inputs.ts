import type { TensorData } from '@optimum/core';
import type { SessionInput } from '../session-inputs.ts';
import { isFloatType } from './element-values.ts';
import { isTextInput } from './text-features.ts';

/** Kinds of data that are made into inputs. */
export type Kind = 'text' | 'image' | 'audio';
export const kinds: readonly Kind[] = ['text', 'image', 'audio'];

type Inputs = ReadonlyMap<string, SessionInput>;

/** Whether a model takes data of a kind, told from the names of its inputs, else from the only float one. */
export function takes(kind: Kind, inputs: Inputs): boolean {
  if (kind === 'text') return inputs.has('input_ids') || inputs.has('decoder_input_ids');
  const rank = onlyFloat(inputs)?.shape?.length;
  const hasOther = onlyFloat(inputs) !== undefined;
  if (kind === 'image') return inputs.has('pixel_values') || (hasOther && (rank ?? 4) === 4);
  return inputs.has('input_values') || inputs.has('input_features') || (hasOther && (rank ?? 3) < 4);
}

/**
 * What a processor made, by the names of the model's inputs. Tensors that the model does not take are left out; the main
 * one goes to the only float input when that has a name of its own (`x`, `log_mel`).
 */
export function assignInputs(made: Readonly<Record<string, TensorData>>, inputs: Inputs): Map<string, TensorData> {
  const assigned = new Map(Object.entries(made).filter(([name]) => inputs.has(name)));
  const main = Object.values(made).find(({ elementType }) => isFloatType(elementType));
  const other = onlyFloat(inputs);
  const isAssigned = [...assigned.values()].some((tensor) => tensor === main);
  if (main && other && !isAssigned) assigned.set(other.name, main);
  return assigned;
}

/** The float input of a model with a single one, masks and caches of text models not counted. */
function onlyFloat(inputs: Inputs): SessionInput | undefined {
  const floats = [...inputs.values()].filter(({ name, elementType }) => isFloatType(elementType) && !isTextInput(name));
  return floats.length === 1 ? floats[0] : undefined;
}
