import { formatNumber } from '../format.ts';
import { type Html, html } from '../html.ts';
import { acrossAxis, chart, label, type Plot, path, pixels, upAxis } from './chart.ts';
import { estimateText, listed } from './figures.ts';
import type { Measured, MeasuredShape } from './measured-shapes.ts';
import { type Scale, scaleOver } from './scale.ts';

const width = 380;
const height = 270;
const plot: Plot = { left: 48, right: 364, top: 32, bottom: 226 };
/** Steps by which a curve of many runs is drawn: as many as there are pixels. */
const steps = plot.right - plot.left;
const quarters: Scale = {
  position: (share) => plot.bottom - share * (plot.bottom - plot.top),
  ticks: [0, 0.25, 0.5, 0.75, 1],
  kind: 'linear',
};

/** For each shape, the share of the runs that took no longer than so many milliseconds. */
export function distributionCharts(shapes: readonly MeasuredShape[]): Html {
  const drawn = shapes.flatMap((shape, index) => {
    const measured = shape.measured.filter(({ point }) => sortedRuns(point.measurement.latenciesMs).length > 0);
    return measured.length > 0 ? [distributionChart(`distribution-${index}`, { ...shape, measured })] : [];
  });
  return html`<div class="panels">${drawn}</div>\n`;
}

const sortedRuns = (latenciesMs: readonly number[]): number[] =>
  latenciesMs.filter(Number.isFinite).sort((a, b) => a - b);

function distributionChart(id: string, { name, measured }: MeasuredShape): Html {
  const runs = measured.map(({ point }) => sortedRuns(point.measurement.latenciesMs));
  const scale = scaleOver(
    runs.flatMap((sorted) => [sorted[0] ?? 0, sorted.at(-1) ?? 0]),
    { start: plot.left, end: plot.right },
  );
  const unit = scale.kind === 'logarithmic' ? 'ms, logarithmic' : 'ms';
  return chart({
    id,
    title: name,
    description: `Share of the runs that took no longer than so many milliseconds. ${measured.map(describe).join('; ')}`,
    width,
    height,
    content: html`${acrossAxis(scale, plot, unit, formatNumber)}${upAxis(quarters, plot, 'share of runs', (share) => `${100 * share} %`)}${measured.map(
      (one, index) => curve(one, runs[index] ?? [], scale),
    )}`,
  });
}

/** The curve, a mark at its half, and the letter beside the mark. */
function curve({ series: { letter, style, mark } }: Measured, sorted: readonly number[], scale: Scale): Html {
  const x = (share: number): number =>
    scale.position(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
  const count = Math.min(sorted.length, steps);
  const route = Array.from(
    { length: count },
    (_, index) => `H${pixels(x(index / count))}V${pixels(quarters.position((index + 1) / count))}`,
  );
  const [across, up] = [x(0.5), quarters.position(0.5)];
  return html`${path(`line ${style}`, `M${pixels(x(0))} ${plot.bottom}${route.join('')}H${plot.right}`)}${path(`mark ${style}`, mark(across, up))}${label(across + 9, up + 14, letter, 'start', 'letter')}`;
}

const describe = ({ series, point: { measurement } }: Measured): string => {
  const { p50, p90, p99 } = measurement.latencyMs;
  const quantiles = [p50, p90, p99].map((estimate, index) => `p${[50, 90, 99][index]} ${estimateText(estimate, 'ms')}`);
  return `${series.letter}, ${measurement.runs} runs: ${listed(quantiles)}`;
};
