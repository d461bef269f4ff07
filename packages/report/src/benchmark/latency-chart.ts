import type { Estimate } from '@optimum/core';
import { formatNumber } from '../format.ts';
import { type Html, html } from '../html.ts';
import { acrossAxis, chart, type Plot, path, pixels, upAxis, whisker } from './chart.ts';
import { estimateText, listed } from './figures.ts';
import { extremesOf, intervalOf, type MeasuredShape } from './measured-shapes.ts';
import { barPanels } from './row-chart.ts';
import { type Scale, scaleOver } from './scale.ts';
import type { Series } from './series.ts';

const width = 760;
const height = 400;
const plot: Plot = { left: 60, right: 740, top: 40, bottom: 350 };

/** Median latency: a line by sequence length for each batch of which two lengths and more were measured, else rows. */
export function latencyCharts(shapes: readonly MeasuredShape[]): Html {
  const batches = [...new Set(shapes.map(({ batch }) => batch))];
  return html`${batches.map((batch, index) => {
    const own = shapes.filter((shape) => shape.batch === batch);
    const lengths = new Set(own.map(({ sequence }) => sequence));
    const title = `Median latency${batch === undefined ? '' : `, batch ${batch}`}`;
    return lengths.size > 1 && !lengths.has(undefined)
      ? lineChart(`latency-${index}`, title, own)
      : barPanels({
          id: `latency-${index}`,
          title,
          axis: 'milliseconds; the stroke is the 95 % interval',
          shapes: own,
          estimate: ({ point }) => point.measurement.latencyMs.p50,
          format: formatNumber,
        });
  })}`;
}

interface Place {
  readonly sequence: number;
  readonly p50: Estimate;
}

function lineChart(id: string, title: string, shapes: readonly MeasuredShape[]): Html {
  const lines = linesOf(shapes);
  const places = lines.flatMap(({ places: own }) => own);
  const lengths = [...new Set(places.map(({ sequence }) => sequence))].sort((a, b) => a - b);
  const x = { ...scaleOver(lengths, { start: plot.left, end: plot.right }, true), ticks: apart(lengths) };
  const y = scaleOver(
    places.flatMap(({ p50 }) => extremesOf(p50)),
    { start: plot.bottom, end: plot.top },
  );
  const unit = y.kind === 'logarithmic' ? 'ms, logarithmic' : 'ms';
  return chart({
    id,
    title: `${title}, by sequence length`,
    description: describe(shapes),
    width,
    height,
    content: html`${acrossAxis(x, plot, 'tokens of the sequence; strokes are 95 % intervals', String)}${upAxis(y, plot, unit, formatNumber)}${lines.map(
      ({ series, places: own }) => line(series, own, x, y),
    )}`,
  });
}

/** Points by model, in the order of their length. */
function linesOf(shapes: readonly MeasuredShape[]): { readonly series: Series; readonly places: readonly Place[] }[] {
  const lines = new Map<Series, Place[]>();
  for (const { sequence = 0, measured } of shapes) {
    for (const { series, point } of measured)
      lines.set(series, [...(lines.get(series) ?? []), { sequence, p50: point.measurement.latencyMs.p50 }]);
  }
  return [...lines].map(([series, places]) => ({
    series,
    places: places.sort((a, b) => a.sequence - b.sequence),
  }));
}

/** Lengths of which the labels do not run into each other; the last one always. */
function apart(lengths: readonly number[]): number[] {
  const kept: number[] = [];
  for (const length of [...lengths].reverse()) {
    const next = kept.at(-1);
    if (next === undefined || length * 1.12 < next) kept.push(length);
  }
  return kept.reverse();
}

function line({ letter, style, mark }: Series, places: readonly Place[], x: Scale, y: Scale): Html {
  const at = places.map(({ sequence, p50 }) => [x.position(sequence), y.position(p50.value)] as const);
  const route = at.map(([across, up]) => `${pixels(across)} ${pixels(up)}`).join('L');
  const spreads = places
    .map(({ sequence, p50 }) => {
      const interval = intervalOf(p50);
      return interval ? whisker('up', y.position(interval.low), y.position(interval.high), x.position(sequence)) : '';
    })
    .join('');
  return html`${path(`line ${style}`, `M${route}`)}${path(`whisker ${style}`, spreads)}${places.map(
    ({ sequence, p50 }, index) => {
      const [across = 0, up = 0] = at[index] ?? [];
      return path(`mark ${style}`, mark(across, up), `${letter}, ${sequence} tokens: ${estimateText(p50, 'ms')}`);
    },
  )}${endLetter(letter, at.at(-1))}`;
}

const endLetter = (letter: string, end: readonly [number, number] | undefined): Html | undefined =>
  end &&
  html`<text class="letter" x="${pixels(end[0] - 10)}" y="${pixels(end[1] - 10)}" text-anchor="end">${letter}</text>`;

const describe = (shapes: readonly MeasuredShape[]): string =>
  shapes
    .map(
      ({ name, measured }) =>
        `${name}: ${listed(measured.map(({ series, point }) => `${series.letter} ${estimateText(point.measurement.latencyMs.p50, 'ms')}`))}`,
    )
    .join('; ');
