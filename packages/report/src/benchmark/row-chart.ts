import type { Estimate } from '@optimum/core';
import { type Html, html } from '../html.ts';
import { acrossAxis, chart, label, type Plot, path, pixels, whisker } from './chart.ts';
import { extremesOf, intervalOf, type Measured, type MeasuredShape } from './measured-shapes.ts';
import { type Scale, scaleFromZero, scaleOver } from './scale.ts';

/** What is drawn for each model at each shape. */
export interface Rows {
  /** Start of the ids of the pictures. */
  readonly id: string;
  readonly title: string;
  /** Name of the axis, with its unit. */
  readonly axis: string;
  readonly shapes: readonly MeasuredShape[];
  /** Absent where nothing was measured: the row is left out. */
  readonly estimate: (measured: Measured) => Estimate | undefined;
  readonly format: (value: number) => string;
}

export interface RatioRows extends Rows {
  /** What stands over the line at 1. */
  readonly one: string;
}

interface Row extends Measured {
  readonly value: Estimate;
}

interface Group {
  readonly name: string;
  readonly rows: readonly Row[];
}

const left = 56;
const rowHeight = 24;
const headHeight = 26;
const barHeight = 12;
const axisHeight = 44;
/** Room for the figures to the right of the plot. */
const figureWidth = 160;
const [panelWidth, ratioWidth] = [560, 760];

/** A picture of bars from zero for each shape, each with a scale of its own: a short sequence is seen beside a long one. */
export function barPanels(rows: Rows): Html | undefined {
  const panels = groupsOf(rows).map((group, index) => barPanel(rows, group, `${rows.id}-${index}`));
  return panels.length > 0 ? html`<h3>${rows.title}</h3>\n<div class="panels wide">${panels}</div>\n` : undefined;
}

/** All shapes in one picture on one scale of ratios, with an upright line at 1. */
export function ratioChart(rows: RatioRows): Html | undefined {
  const groups = groupsOf(rows);
  if (groups.length === 0) return undefined;
  const top = 34;
  const right = ratioWidth - figureWidth;
  const scale = scaleOver([...extremesOfAll(groups), 1], { start: left, end: right }, true);
  let y = top;
  const drawn = groups.map(({ name, rows: own }) => {
    const [head, first] = [label(0, y + 17, name, 'start', 'group'), y + headHeight];
    y = first + rowHeight * own.length;
    return [head, own.map((row, index) => ratioRow(row, first + rowHeight * (index + 0.5), scale, rows.format))];
  });
  const plot: Plot = { left, right, top, bottom: y + 6 };
  return chart({
    id: rows.id,
    title: rows.title,
    description: groups.map((group) => `${group.name}: ${wordsOf(group, rows.format)}`).join('; '),
    width: ratioWidth,
    height: plot.bottom + axisHeight,
    content: html`${acrossAxis(scale, plot, rows.axis, rows.format)}${oneLine(scale, plot, rows.one)}${drawn}`,
  });
}

function groupsOf({ shapes, estimate }: Rows): readonly Group[] {
  const groups = shapes.map(({ name, measured }) => ({
    name,
    rows: measured.flatMap((one) => {
      const value = estimate(one);
      return value && Number.isFinite(value.value) ? [{ ...one, value }] : [];
    }),
  }));
  return groups.filter(({ rows }) => rows.length > 0);
}

const extremesOfAll = (groups: readonly Group[]): number[] =>
  groups.flatMap(({ rows }) => rows.flatMap(({ value }) => extremesOf(value)));

function barPanel({ title, axis, format }: Rows, group: Group, id: string): Html {
  const [top, right] = [6, panelWidth - figureWidth];
  const scale = scaleFromZero(extremesOfAll([group]), { start: left, end: right });
  const plot: Plot = { left, right, top, bottom: top + rowHeight * group.rows.length + 4 };
  const drawn = group.rows.map((row, index) => barRow(row, top + rowHeight * (index + 0.5), scale, format));
  return chart({
    id,
    title: group.name,
    description: `${title}: ${wordsOf(group, format)}`,
    width: panelWidth,
    height: plot.bottom + axisHeight,
    content: html`${acrossAxis(scale, plot, axis, format)}${drawn}`,
  });
}

function barRow(row: Row, y: number, scale: Scale, format: (value: number) => string): Html {
  const end = pixels(Math.max(scale.position(row.value.value), left + 1));
  const bar = `M${left} ${y - barHeight / 2}H${end}v${barHeight}H${left}z`;
  return html`${path(`bar ${row.series.style}`, bar)}${spreadOf(row, y, scale)}${wordsBeside(row, y, panelWidth, format)}`;
}

function ratioRow(row: Row, y: number, scale: Scale, format: (value: number) => string): Html {
  const { series, value } = row;
  const mark = path(`mark ${series.style}`, series.mark(scale.position(value.value), y));
  return html`${spreadOf(row, y, scale)}${mark}${wordsBeside(row, y, ratioWidth, format)}`;
}

function spreadOf({ series, value }: Row, y: number, scale: Scale): Html | undefined {
  const interval = intervalOf(value);
  const [from, to] = [interval?.low, interval?.high].map((end) => scale.position(end ?? 0));
  return interval && path(`whisker ${series.style}`, whisker('across', from ?? 0, to ?? 0, y));
}

/** Who it is to the left, and the figures to the right. */
const wordsBeside = ({ series, value }: Row, y: number, width: number, format: (value: number) => string): Html =>
  html`${path(`mark ${series.style}`, series.mark(14, y))}${label(26, y + 4, series.letter, 'start', 'letter')}${label(width - figureWidth + 12, y + 4, figures(value, format), 'start', 'figure')}`;

function figures(value: Estimate, format: (value: number) => string): string {
  const interval = intervalOf(value);
  return `${format(value.value)}${interval ? ` (${format(interval.low)} to ${format(interval.high)})` : ''}`;
}

const wordsOf = ({ rows }: Group, format: (value: number) => string): string =>
  rows.map(({ series, value }) => `${series.letter} ${figures(value, format)}`).join(', ');

/** The line at 1: left of it slower, right of it faster. */
function oneLine(scale: Scale, { top, bottom }: Plot, one: string): Html {
  const x = scale.position(1);
  return html`${path('reference', `M${pixels(x)} ${top - 8}V${bottom}`)}${label(x, top - 14, one, 'middle', 'reference-label')}`;
}
