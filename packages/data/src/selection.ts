import { OptimumError, seededRandom } from '@optimum/core';

/** Which rows of a data set are used. */
export interface Selection {
  readonly count: number;
  /** Ascending. */
  indices(): Iterable<number>;
}

const defaultSeed = 0;

/**
 * At most `samples` of `total` rows: all of them when there are no more, else a sample without replacement. The same seed
 * gives the same rows, and a smaller sample is part of a larger one. Time and memory are proportional to `samples`.
 * @throws E_USAGE when `samples` is no whole number above 0
 */
export function selectRows(total: number, samples: number = total, seed: number = defaultSeed): Selection {
  if (total > 0 && !(Number.isSafeInteger(samples) && samples > 0))
    throw new OptimumError('E_USAGE', `${samples} samples were asked for, expected a whole number above 0.`);
  if (samples >= total) return { count: total, indices: () => ascending(total) };
  const chosen = sample(total, samples, seed).sort((a, b) => a - b);
  return { count: samples, indices: () => chosen };
}

function* ascending(total: number): Iterable<number> {
  for (let index = 0; index < total; index++) yield index;
}

/** @source Fisher and Yates 1938, as in Knuth, TAOCP volume 2, algorithm P, of which only the first places are drawn. */
function sample(total: number, count: number, seed: number): number[] {
  const random = seededRandom(seed);
  // Places whose number was swapped; all others hold their own.
  const swapped = new Map<number, number>();
  return Array.from({ length: count }, (_, place) => {
    const other = place + random.integer(total - place);
    const drawn = swapped.get(other) ?? other;
    swapped.set(other, swapped.get(place) ?? place);
    return drawn;
  });
}

/** Those of ascending `items` whose index is selected. Nothing behind the last one is read. */
export async function* pick<T extends { readonly index: number }>(
  items: Iterable<T> | AsyncIterable<T>,
  selection: Selection,
): AsyncGenerator<T> {
  const wanted = selection.indices()[Symbol.iterator]();
  let next = wanted.next();
  if (next.done) return;
  for await (const item of items) {
    if (item.index !== next.value) continue;
    yield item;
    next = wanted.next();
    if (next.done) return;
  }
}
