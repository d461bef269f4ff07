import type { BenchmarkReport } from '@optimum/core';
import { formatBytes } from '@optimum/core';
import { type Html, html } from '../html.ts';
import { pixels } from './chart.ts';

/**
 * How one model is told apart in every picture: by a letter, the form of its marks, the dashes of its lines and, last, a
 * colour. Pictures never hold its name, which may be of any length; the legend does.
 */
export interface Series {
  readonly letter: string;
  readonly name: string;
  readonly bytes: number;
  /** Class of its marks and lines. */
  readonly style: string;
  /** Its mark as a path around a point. */
  readonly mark: (x: number, y: number) => string;
}

/** As many looks as the style sheet has; the letter still tells models beyond apart. */
const looks = 8;

export const seriesOf = ({ models }: BenchmarkReport): readonly Series[] =>
  models.map(({ name, bytes }, index) => ({
    letter: letterOf(index),
    name,
    bytes,
    style: `series-${index % looks}`,
    mark: (x, y) => markPath(index % looks, x, y),
  }));

/** A, B, … Z, AA, AB, … */
export function letterOf(index: number): string {
  const rest = Math.floor(index / 26);
  return `${rest > 0 ? letterOf(rest - 1) : ''}${String.fromCharCode(65 + (index % 26))}`;
}

/** Corners of the marks around zero, each about as heavy as the others; a circle has none. */
const corners: readonly (readonly (readonly [number, number])[])[] = [
  [],
  [
    [-4, -4],
    [4, -4],
    [4, 4],
    [-4, 4],
  ],
  [
    [0, -5],
    [5, 4],
    [-5, 4],
  ],
  [
    [0, -5.5],
    [5.5, 0],
    [0, 5.5],
    [-5.5, 0],
  ],
  [
    [0, 5],
    [5, -4],
    [-5, -4],
  ],
  [
    [-2, -5],
    [2, -5],
    [2, -2],
    [5, -2],
    [5, 2],
    [2, 2],
    [2, 5],
    [-2, 5],
    [-2, 2],
    [-5, 2],
    [-5, -2],
    [-2, -2],
  ],
  [
    [0, -5.5],
    [5.2, -1.7],
    [3.2, 4.5],
    [-3.2, 4.5],
    [-5.2, -1.7],
  ],
  [
    [-5, -5],
    [5, 5],
    [5, -5],
    [-5, 5],
  ],
];

function markPath(look: number, x: number, y: number): string {
  const points = corners[look] ?? [];
  if (points.length === 0) return `M${pixels(x - 4.5)} ${pixels(y)}a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z`;
  return `M${points.map(([right, down]) => `${pixels(x + right)} ${pixels(y + down)}`).join('L')}z`;
}

/** Letters, marks and lines with the names of the models. */
export const legend = (series: readonly Series[]): Html =>
  html`<ul class="legend">${series.map(
    ({ letter, name, style, mark }) =>
      html`<li><svg class="sample" aria-hidden="true" width="44" height="16" viewBox="0 0 44 16"><path class="line ${style}" d="M2 8H42"/><path class="mark ${style}" d="${mark(22, 8)}"/></svg> <span><strong>${letter}</strong> <span class="name">${name}</span></span></li>\n`,
  )}</ul>\n`;

/** What the files weigh, for tables. */
export const sizeOf = ({ bytes }: Series): string => formatBytes(bytes);
