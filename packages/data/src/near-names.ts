import { quote } from '@optimum/core';

/** Longer names are not compared: the time grows with the product of two lengths. */
const longestName = 100;

/** A question for the name that was most likely meant, or `undefined` when none is near. */
export function didYouMean(name: string, known: Iterable<string>): string | undefined {
  const near = nearest(name, known);
  return near === undefined ? undefined : `Did you mean ${quote(near)}?`;
}

/** The known name with the fewest edits, at most two for five letters; letter case and separators do not count. */
function nearest(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    if (name.length > longestName || candidate.length > longestName) continue;
    const edits = editDistance(plain(name), plain(candidate));
    if (edits >= fewest || edits > 0.4 * candidate.length) continue;
    fewest = edits;
    best = candidate;
  }
  return best;
}

const plain = (name: string): string => name.toLowerCase().replace(/[\s_.-]/g, '');

/** @source Levenshtein 1966: insertions, deletions and substitutions that turn one text into the other. */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const substituted = (previous[column - 1] as number) + (from[row - 1] === to[column - 1] ? 0 : 1);
      const shorter = Math.min(previous[column] as number, current[column - 1] as number) + 1;
      current.push(Math.min(substituted, shorter));
    }
    previous = current;
  }
  return previous[to.length] as number;
}
