import { formatNumber, formatShare } from '../format.ts';
import { type Html, html } from '../html.ts';
import { acrossAxis, chart, label, type Plot, path, pixels } from './chart.ts';
import { listed } from './figures.ts';
import type { MeasuredShape } from './measured-shapes.ts';
import { type OperatorSum, operatorSums, sumOf, withRest } from './operator-sums.ts';
import { type Scale, scaleFromZero } from './scale.ts';
import type { Series } from './series.ts';

const width = 560;
const [left, right, top] = [56, 480, 6];
const rowHeight = 32;
const barHeight = 22;
/** Below this many pixels no number fits into a part. */
const leastLabelled = 14;
/** As many as the style sheet has looks, less one for the rest. */
const mostParts = 7;

interface Bar {
  readonly series: Series;
  readonly sums: readonly OperatorSum[];
}

/** A picture for each shape, a bar for each model, its parts by operator: numbers in the parts tell them apart. */
export function operatorCharts(shapes: readonly MeasuredShape[]): Html | undefined {
  const groups = shapes.map(({ name, measured }) => ({
    name,
    bars: measured.flatMap(({ series, point: { operators = [] } }): Bar[] =>
      operators.length > 0 ? [{ series, sums: operatorSums(operators) }] : [],
    ),
  }));
  const names = heaviest(groups.flatMap(({ bars }) => bars));
  if (names.length === 0) return undefined;
  const drawn = groups.flatMap(({ name, bars }, index) =>
    bars.length > 0 ? [operatorChart(`operators-${index}`, name, bars, names)] : [],
  );
  return html`${operatorLegend(names)}<div class="panels wide">${drawn}</div>\n`;
}

/** Operators worth a part of their own, by their share over all bars: a short sequence counts as much as a long one. */
function heaviest(bars: readonly Bar[]): readonly string[] {
  const shares = new Map<string, number>();
  for (const { sums } of bars) {
    const all = sumOf(sums) || 1;
    for (const { op, meanUs } of sums) shares.set(op, (shares.get(op) ?? 0) + meanUs / all);
  }
  const sorted = [...shares].sort(([, a], [, b]) => b - a);
  return sorted.slice(0, mostParts).map(([op]) => op);
}

function operatorChart(id: string, name: string, bars: readonly Bar[], names: readonly string[]): Html {
  const shown = bars.map(({ series, sums }) => ({ series, sums: withRest(sums, names) }));
  const scale = scaleFromZero(
    bars.map(({ sums }) => sumOf(sums) / 1000),
    { start: left, end: right },
  );
  const plot: Plot = { left, right, top, bottom: top + rowHeight * bars.length + 4 };
  return chart({
    id,
    title: name,
    description: shown.map(describe).join('; '),
    width,
    height: plot.bottom + 44,
    content: html`${acrossAxis(scale, plot, 'milliseconds of one run, mean', formatNumber)}${shown.map((bar, index) =>
      barRow(bar, names, top + rowHeight * (index + 0.5), scale),
    )}`,
  });
}

function barRow({ series, sums }: Bar, names: readonly string[], y: number, scale: Scale): Html {
  let before = 0;
  const parts = sums.map(({ op, meanUs }) => {
    const from = scale.position(before);
    before += meanUs / 1000;
    const to = scale.position(before);
    const number = names.indexOf(op) + 1;
    const outline = `M${pixels(from)} ${y - barHeight / 2}H${pixels(to)}v${barHeight}H${pixels(from)}z`;
    const tooltip = `${series.letter}, ${op}: ${formatNumber(meanUs / 1000)} ms`;
    const isLabelled = to - from >= leastLabelled;
    return html`${path(`part ${styleOf(number)}`, outline, tooltip)}${isLabelled && label((from + to) / 2, y + 4, number || '…', 'middle', 'part-label')}`;
  });
  const total = `${formatNumber(before)} ms`;
  return html`${path(`mark ${series.style}`, series.mark(14, y))}${label(26, y + 4, series.letter, 'start', 'letter')}${parts}${label(scale.position(before) + 8, y + 4, total, 'start', 'figure')}`;
}

/** What has no number is the rest. */
const styleOf = (number: number): string => (number === 0 ? 'part-rest' : `series-${number - 1}`);

const operatorLegend = (names: readonly string[]): Html =>
  html`<ul class="legend">${[...names, 'all others'].map((name, index) => {
    const number = index < names.length ? index + 1 : 0;
    return html`<li><svg class="sample" aria-hidden="true" width="22" height="16" viewBox="0 0 22 16"><path class="part ${styleOf(number)}" d="M0 0H22V16H0z"/><text class="part-label" x="11" y="12" text-anchor="middle">${number || '…'}</text></svg> <span class="name">${name}</span></li>\n`;
  })}</ul>\n`;

const describe = ({ series, sums }: Bar): string => {
  const all = sumOf(sums) || 1;
  const shares = sums.map(({ op, meanUs }) => `${op} ${formatShare(meanUs / all)}`);
  return `${series.letter}, ${formatNumber(all / 1000)} ms: ${listed(shares)}`;
};
