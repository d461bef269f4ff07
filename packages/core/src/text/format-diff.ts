import type { Difference } from './diff-models.ts';

/**
 * A listing like that of `diff`: one `@@` line a place, then `-` and `+` lines. `''` for no differences; never color.
 */
export function formatDiff(differences: readonly Difference[]): string {
  const places = new Map<string, Difference[]>();
  for (const difference of differences) {
    const group = places.get(difference.at) ?? [];
    places.set(difference.at, [...group, difference]);
  }
  return Array.from(places, ([at, group]) => `@@ ${at} @@\n${group.map(formatDifference).join('')}`).join('');
}

function formatDifference({ what, before, after }: Difference): string {
  const side = (sign: string, text: string | undefined): string =>
    text === undefined ? '' : `${`${what}: ${text}`.replace(/^/gm, `${sign} `)}\n`;
  return `${side('-', before)}${side('+', after)}`;
}
