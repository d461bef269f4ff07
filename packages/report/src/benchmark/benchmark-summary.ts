import { type BenchmarkReport, formatBytes, formatMs } from '@optimum/core';
import { counted, formatNumber, formatShare } from '../format.ts';
import { type Html, html } from '../html.ts';
import { facts, warning } from '../table.ts';
import { modelTable } from './benchmark-tables.ts';
import { configurationText } from './configuration-text.ts';
import { estimateText, ratio, ratioText } from './figures.ts';
import type { Measured, MeasuredShape } from './measured-shapes.ts';
import { type Series, sizeOf } from './series.ts';

/** What weakens the figures first, then each model in one tile, and where it was measured. */
export function benchmarkSummary(
  report: BenchmarkReport,
  series: readonly Series[],
  shapes: readonly MeasuredShape[],
): Html {
  const { cpu, runtime, warnings, busyBefore, durationMs, measuredAt } = report;
  return html`${warnings.map((text) => warning(text))}<ul class="tiles">${series.map((one) => tile(one, shapes))}</ul>
${facts([
  ['CPU', `${cpu.name} (class ${cpu.class}), ${counted(cpu.granted, 'core')} granted of ${cpu.cores}`],
  ['Runtime', `${runtime.id} ${runtime.version}`],
  ['Served by', [...new Set(report.points.map(({ configuration }) => configurationText(configuration)))].join(' | ')],
  ['Busy before', `${formatShare(busyBefore)} of the CPU was used by others`],
  ['Measured', `${measuredAt}, in ${formatMs(durationMs)}`],
])}${modelTable(
  report,
  series.map(({ letter }) => letter),
)}`;
}

function tile(series: Series, shapes: readonly MeasuredShape[]): Html {
  const own = shapes.flatMap(({ name, measured }) =>
    measured.filter((one) => one.series === series).map((one) => ({ ...one, shape: name })),
  );
  const compared = own.filter(({ point }) => point.speedup);
  const { value, more } = compared.length > 0 ? speedOf(compared) : latencyOf(own);
  const lines = [...more, `file ${sizeOf(series)}${memoryOf(own)}`];
  return html`<li><span class="label"><strong>${series.letter}</strong> ${series.name}</span> <span class="value">${value}</span> ${lines.map((line) => html`<span class="more">${line}</span> `)}</li>\n`;
}

interface Shown extends Measured {
  readonly shape: string;
}

interface TileText {
  readonly value: string;
  readonly more: readonly string[];
}

/** From the least to the greatest speed-up over the shapes, each with where it was. */
function speedOf(own: readonly Shown[]): TileText {
  const sorted = [...own].sort((a, b) => (a.point.speedup?.value ?? 0) - (b.point.speedup?.value ?? 0));
  const ends = [...new Set([sorted[0], sorted.at(-1)])].flatMap((one) =>
    one?.point.speedup ? [{ ...one, speedup: one.point.speedup }] : [],
  );
  const values = [...new Set(ends.map(({ speedup }) => ratio(speedup.value)))];
  return {
    value: `${values.join(' to ')}×`,
    more: ends.map(({ shape, speedup }) => `${ratioText(speedup)} ${speedup.verdict}, ${shape}`),
  };
}

/** The model that the others are compared with shows what it takes. */
function latencyOf(own: readonly Shown[]): TileText {
  const sorted = [...own].sort(
    (a, b) => a.point.measurement.latencyMs.p50.value - b.point.measurement.latencyMs.p50.value,
  );
  const ends = [...new Set([sorted[0], sorted.at(-1)])].flatMap((one) =>
    one ? [{ shape: one.shape, p50: one.point.measurement.latencyMs.p50 }] : [],
  );
  if (ends.length === 0) return { value: 'not measured', more: [] };
  return {
    value: `${ends.map(({ p50 }) => formatNumber(p50.value)).join(' to ')} ms`,
    more: ends.map(({ shape, p50 }) => `${estimateText(p50, 'ms')}, ${shape}`),
  };
}

const memoryOf = (own: readonly Shown[]): string =>
  own.length > 0
    ? `, up to ${formatBytes(Math.max(...own.map(({ point }) => point.measurement.residentBytes)))} resident`
    : '';
