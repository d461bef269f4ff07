import { type BenchmarkReport, type Estimate, formatBytes } from '@optimum/core';
import { formatNumber } from '../format.ts';
import { type Html, html } from '../html.ts';
import { page } from '../page.ts';
import { benchmarkReproduce } from './benchmark-reproduce.ts';
import { benchmarkSummary } from './benchmark-summary.ts';
import { operatorTable, pointTable, trialTable } from './benchmark-tables.ts';
import { configurationText } from './configuration-text.ts';
import { distributionCharts } from './distribution-chart.ts';
import { estimateText } from './figures.ts';
import { latencyCharts } from './latency-chart.ts';
import { type MeasuredShape, shapesOf } from './measured-shapes.ts';
import { operatorCharts } from './operator-chart.ts';
import { barPanels } from './row-chart.ts';
import { type Search, searchChart } from './search-chart.ts';
import { legend, letterOf, seriesOf } from './series.ts';
import { speedupChart } from './speedup-chart.ts';

export interface BenchmarkOptions {
  /** The command that measured, as it was typed. */
  readonly command?: string | undefined;
}

/**
 * What `optimum benchmark` measured, as one self-contained HTML page: pictures that are told apart without colour, every
 * figure in tables too. It loads nothing, and no text in it can be markup, wherever the models came from.
 */
export function renderBenchmarkHtml(report: BenchmarkReport, { command }: BenchmarkOptions = {}): string {
  const series = seriesOf(report);
  const shapes = shapesOf(report, series);
  const operators = operatorCharts(shapes);
  const speedups = speedupChart(shapes, series[0]);
  const key = legend(series);
  const sections: readonly (readonly [string, Html | undefined])[] = [
    ['Summary', benchmarkSummary(report, series, shapes)],
    ['Latency', shapes.length > 0 ? html`${key}${latencyCharts(shapes)}` : undefined],
    ['Speed-up', speedups && html`${key}${speedups}`],
    ['How latencies spread', shapes.length > 0 ? html`${key}${distributionCharts(shapes)}` : undefined],
    [
      'Time by operator',
      operators && html`${operators}<details><summary>All operators</summary>${operatorTable(shapes)}</details>`,
    ],
    ['Throughput and memory', shapes.length > 0 ? html`${key}${servingCharts(shapes)}` : undefined],
    [
      'Search for settings',
      report.search &&
        searchSection(
          report.search,
          series.map(({ name }) => name),
        ),
    ],
    ['All figures', shapes.length > 0 ? pointTable(shapes) : undefined],
    ['How to reproduce', benchmarkReproduce(report, command)],
  ];
  return page({
    title: `Benchmark of ${series.map(({ name }) => name).join(', ') || 'nothing'}`,
    lead: `${report.cpu.name}, ${report.runtime.id} ${report.runtime.version}`,
    sections: sections.flatMap(([title, content]) => (content ? [{ title, content }] : [])),
  });
}

const servingCharts = (shapes: readonly MeasuredShape[]): Html =>
  html`${barPanels({
    id: 'throughput',
    title: 'Throughput',
    axis: 'samples per second, all instances together',
    shapes,
    estimate: ({ point }) => point.measurement.throughput,
    format: formatNumber,
  })}${barPanels({
    id: 'memory',
    title: 'Memory',
    axis: 'resident memory of all instances after the runs',
    shapes,
    estimate: ({ point }) => exactly(point.measurement.residentBytes),
    format: formatBytes,
  })}`;

/** A figure that was read, not estimated: it has no interval. */
const exactly = (value: number): Estimate => ({ value, low: Number.NaN, high: Number.NaN });

function searchSection(search: Search, names: readonly string[]): Html {
  const place = names.indexOf(search.model);
  const { best, objective, model } = search;
  return html`<p>Best for ${objective} of ${place >= 0 && html`<strong>${letterOf(place)}</strong> `}<span class="name">${model}</span>: ${configurationText(best.configuration)}${best.batch !== undefined && `, batch ${best.batch}`}. Median latency ${estimateText(best.p50Ms, 'ms')}, ${estimateText(best.throughput, 'samples per second')}.</p>
<p>Filled dots with a number are the front: for every other setting one of them is as good in both, and better in one. The ring is the best for ${objective}.</p>
${searchChart(search)}${trialTable(search)}`;
}
