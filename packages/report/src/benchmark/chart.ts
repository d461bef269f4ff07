import { type Html, html, type Part } from '../html.ts';
import type { Scale } from './scale.ts';

export interface Chart {
  /** Unique in the page; the title and the description are named after it. */
  readonly id: string;
  readonly title: string;
  /** What the picture shows, in words and figures, for those who do not see it. */
  readonly description: string;
  readonly width: number;
  readonly height: number;
  readonly content: Part;
}

/** A picture with its title above it. What it shows is said in words too, and every figure stands in a table. */
export const chart = ({ id, title, description, width, height, content }: Chart): Html =>
  html`<figure class="chart"><figcaption>${title}</figcaption>
<div class="frame" role="group" tabindex="0" aria-label="${title}"><svg role="img" aria-labelledby="${id}-title ${id}-description" viewBox="0 0 ${width} ${height}"><title id="${id}-title">${title}</title><desc id="${id}-description">${description}</desc>${content}</svg></div></figure>
`;

/** A tenth of a pixel is as much as the eye sees. */
export const pixels = (value: number): number => Math.round(10 * value) / 10;

export type Anchor = 'start' | 'middle' | 'end';

/** Text of a picture; `y` is its base line. */
export const label = (x: number, y: number, content: Part, anchor: Anchor = 'start', style = 'label'): Html =>
  html`<text class="${style}" x="${pixels(x)}" y="${pixels(y)}" text-anchor="${anchor}">${content}</text>`;

export const path = (style: string, d: string, tooltip?: string): Html =>
  tooltip === undefined
    ? html`<path class="${style}" d="${d}"/>`
    : html`<path class="${style}" d="${d}"><title>${tooltip}</title></path>`;

/** Edges of the part of a picture in which values stand. */
export interface Plot {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Upright lines at the ticks, their values below, and the name of the axis below these. */
export function acrossAxis(scale: Scale, plot: Plot, name: string, format: (value: number) => string): Html {
  const { left, right, top, bottom } = plot;
  const lines = scale.ticks.map((tick) => `M${pixels(scale.position(tick))} ${top}V${bottom + 4}`).join('');
  return html`${path('grid', lines)}${path('axis', `M${left} ${bottom}H${right}`)}${scale.ticks.map((tick) =>
    label(scale.position(tick), bottom + 17, format(tick), 'middle', 'tick'),
  )}${label((left + right) / 2, bottom + 34, name, 'middle')}`;
}

/** Level lines at the ticks, their values to the left, and the name of the axis above the plot. */
export function upAxis(scale: Scale, plot: Plot, name: string, format: (value: number) => string): Html {
  const { left, right, top, bottom } = plot;
  const lines = scale.ticks.map((tick) => `M${left - 4} ${pixels(scale.position(tick))}H${right}`).join('');
  return html`${path('grid', lines)}${path('axis', `M${left} ${top}V${bottom}`)}${scale.ticks.map((tick) =>
    label(left - 8, scale.position(tick) + 4, format(tick), 'end', 'tick'),
  )}${label(left - 8, top - 12, name)}`;
}

/** A line with end strokes over an interval. `across`: along the x axis. */
export function whisker(direction: 'across' | 'up', from: number, to: number, place: number): string {
  const [a, b, p] = [from, to, place].map(pixels) as [number, number, number];
  return direction === 'across'
    ? `M${a} ${p - 4}v8M${a} ${p}H${b}M${b} ${p - 4}v8`
    : `M${p - 4} ${a}h8M${p} ${a}V${b}M${p - 4} ${b}h8`;
}
