import type { TensorData } from '@optimum/core';
import type { SessionInputs } from '../session-inputs.ts';

/** Inputs of one sample by name. */
export type Feeds = Readonly<Record<string, TensorData>>;

/** The inputs of one session out of those of all, or `undefined` when the sample is not for it. */
export function feedsOf({ inputs }: SessionInputs, feeds: Feeds): Feeds | undefined {
  const own = inputs.map(({ name, elementType, shape }) => {
    const tensor = Object.hasOwn(feeds, name) ? feeds[name] : undefined;
    const fits = tensor?.elementType === elementType && (!shape || shape.length === tensor.dims.length);
    return fits ? ([name, tensor] as const) : undefined;
  });
  if (own.some((entry) => entry === undefined)) return undefined;
  return Object.fromEntries(own.filter((entry) => entry !== undefined));
}
