import { type BenchmarkReport, formatBytes, formatMs, type SearchTrial, type ServingMeasurement } from '@optimum/core';
import { counted, formatCount, formatNumber, formatShare } from '../format.ts';
import { type Html, html } from '../html.ts';
import { type Column, table } from '../table.ts';
import { configurationText } from './configuration-text.ts';
import { estimateText, ratioText } from './figures.ts';
import type { Measured, MeasuredShape } from './measured-shapes.ts';
import { operatorSums, sumOf } from './operator-sums.ts';
import { paretoFront, placeOf } from './pareto.ts';
import type { Search } from './search-chart.ts';

interface PointRow extends Measured {
  readonly shape: string;
}

/** All figures of all points; columns of what nobody measured are left out. */
export function pointTable(shapes: readonly MeasuredShape[]): Html {
  const rows = shapes.flatMap(({ name, measured }) => measured.map((one): PointRow => ({ ...one, shape: name })));
  const columns: Column<PointRow>[] = [
    { title: 'Model', kind: 'name', cell: ({ series }) => html`<strong>${series.letter}</strong> ${series.name}` },
    { title: 'Shape', cell: ({ shape }) => shape },
    latency('p50', ({ latencyMs }) => latencyMs.p50),
    latency('p90', ({ latencyMs }) => latencyMs.p90),
    latency('p99', ({ latencyMs }) => latencyMs.p99),
    latency('Mean', ({ latencyMs }) => latencyMs.mean),
    {
      title: 'Speed-up',
      kind: 'number',
      cell: ({ point: { speedup } }) => (speedup ? `${ratioText(speedup)} ${speedup.verdict}` : '–'),
      sort: ({ point }) => point.speedup?.value,
    },
    figure('Samples per second', ({ throughput }) => throughput),
    {
      title: 'Memory',
      kind: 'number',
      cell: ({ point }) => formatBytes(point.measurement.residentBytes),
      sort: ({ point }) => point.measurement.residentBytes,
    },
    {
      title: 'Load',
      kind: 'number',
      cell: ({ point }) => formatMs(point.measurement.loadMs),
      sort: ({ point }) => point.measurement.loadMs,
    },
    {
      title: 'Runs',
      kind: 'number',
      cell: ({ point }) => formatCount(point.measurement.runs),
      sort: ({ point }) => point.measurement.runs,
    },
    ...measuredOnly(rows, 'Joules per run', ({ joulesPerRun }) => joulesPerRun),
    ...measuredOnly(rows, 'Cost of a million', ({ costPerMillion }) => costPerMillion),
    { title: 'Served by', cell: ({ point }) => configurationText(point.configuration) },
  ];
  return table(rows, columns, {
    caption: 'Every point: value and, in brackets, the ends of its 95 % interval; latencies in milliseconds',
    sortable: true,
  });
}

type Figure = (measurement: ServingMeasurement) => ServingMeasurement['throughput'] | undefined;

const latency = (title: string, read: Figure): Column<PointRow> => figure(title, read);

function figure(title: string, read: Figure): Column<PointRow> {
  const of = ({ point }: PointRow) => read(point.measurement);
  return {
    title,
    kind: 'number',
    cell: (row) => {
      const estimate = of(row);
      return estimate ? estimateText(estimate) : '–';
    },
    sort: (row) => of(row)?.value,
  };
}

const measuredOnly = (rows: readonly PointRow[], title: string, read: Figure): Column<PointRow>[] =>
  rows.some(({ point }) => read(point.measurement)) ? [figure(title, read)] : [];

/** Sums by operator for each point with times. */
export function operatorTable(shapes: readonly MeasuredShape[]): Html | undefined {
  const rows = shapes.flatMap(({ name, measured }) =>
    measured.flatMap(({ series, point: { operators = [] } }) => {
      const sums = operatorSums(operators);
      const all = sumOf(sums) || 1;
      return sums.map((sum) => ({ ...sum, letter: series.letter, shape: name, share: sum.meanUs / all }));
    }),
  );
  if (rows.length === 0) return undefined;
  return table(
    rows,
    [
      { title: 'Operator', kind: 'name', cell: ({ op }) => op },
      { title: 'Model', cell: ({ letter }) => letter },
      { title: 'Shape', cell: ({ shape }) => shape },
      { title: 'Nodes', kind: 'number', cell: ({ nodes }) => formatCount(nodes), sort: ({ nodes }) => nodes },
      {
        title: 'Milliseconds of a run',
        kind: 'number',
        cell: ({ meanUs }) => formatNumber(meanUs / 1000),
        sort: ({ meanUs }) => meanUs,
      },
      { title: 'Share', kind: 'number', cell: ({ share }) => formatShare(share), sort: ({ share }) => share },
    ],
    { caption: 'Time of all nodes of an operator in the graph that really runs', sortable: true },
  );
}

/** Every trial of a search with its number, as in the picture. */
export function trialTable({ trials, best }: Search): Html {
  const front = paretoFront(trials);
  const chosen = placeOf(trials, best);
  const rows = trials.map((trial, index) => ({ trial, index }));
  const mark = (trial: SearchTrial, index: number): string =>
    [index === chosen && 'best', front.includes(trial) && 'on the front'].filter(Boolean).join(', ');
  return table(
    rows,
    [
      { title: 'Trial', kind: 'number', cell: ({ index }) => index + 1, sort: ({ index }) => index + 1 },
      { title: 'Settings', cell: ({ trial }) => configurationText(trial.configuration) },
      { title: 'Batch', kind: 'number', cell: ({ trial }) => trial.batch ?? '–', sort: ({ trial }) => trial.batch },
      {
        title: 'p50, ms',
        kind: 'number',
        cell: ({ trial }) => estimateText(trial.p50Ms),
        sort: ({ trial }) => trial.p50Ms.value,
      },
      {
        title: 'p99, ms',
        kind: 'number',
        cell: ({ trial }) => estimateText(trial.p99Ms),
        sort: ({ trial }) => trial.p99Ms.value,
      },
      {
        title: 'Samples per second',
        kind: 'number',
        cell: ({ trial }) => estimateText(trial.throughput),
        sort: ({ trial }) => trial.throughput.value,
      },
      {
        title: 'Memory',
        kind: 'number',
        cell: ({ trial }) => formatBytes(trial.residentBytes),
        sort: ({ trial }) => trial.residentBytes,
      },
      { title: 'Mark', cell: ({ trial, index }) => mark(trial, index) },
    ],
    { caption: `${counted(trials.length, 'trial')} in the order in which they ran`, sortable: true },
  );
}

/** Files that were measured. */
export const modelTable = ({ models }: BenchmarkReport, letters: readonly string[]): Html =>
  table(
    models.map((model, index) => ({ ...model, letter: letters[index] })),
    [
      { title: 'Model', kind: 'name', cell: ({ letter, name }) => html`<strong>${letter}</strong> ${name}` },
      { title: 'File', kind: 'name', cell: ({ path }) => path },
      { title: 'Size', kind: 'number', cell: ({ bytes }) => formatBytes(bytes) },
    ],
    { caption: 'Models that were measured; the first is the one that the others are compared with' },
  );
