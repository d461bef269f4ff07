import { linearBins, type Range, spansOf, type TensorObservation } from '@optimum/core';
import { formatNumber, formatShare } from './format.ts';
import { type Html, html } from './html.ts';

/** Size in CSS pixels. A bar is three pixels and a gap of one, so that none is blurred. */
const bars = 50;
const barPitch = 4;
const barWidth = 3;
const width = bars * barPitch;
const plotHeight = 36;
/** Below the bars: the line that shows the range. */
const height = plotHeight + 8;
/** Pixels by which a bound that falls on the edge of a bar may miss it. */
const rounding = 0.01;

/**
 * The values of a tensor on a linear scale, counts on a logarithmic one, with the range that was chosen: bars outside it
 * are hollow, and a line below spans it. Nothing where there is no histogram.
 */
export function histogramSvg(observation: TensorObservation, range: Range | undefined): Html | undefined {
  if (!observation.histogram || observation.elements === 0) return undefined;
  const domain = domainOf(observation, range);
  const counts = linearBins(spansOf(observation), domain.min, domain.max, bars);
  const position = (value: number): number => (width * (value - domain.min)) / (domain.max - domain.min);
  const kept = range && { from: position(range.min), to: position(range.max) };
  const heights = logHeights(counts);
  const isKept = (bar: number): boolean =>
    !kept || (barPitch * (bar + 1) > kept.from - rounding && barPitch * bar <= kept.to + rounding);
  return html`<svg class="histogram" role="img" aria-label="${labelOf(observation, range)}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><path class="kept" d="${barsPath(heights, isKept, 0)}"/><path class="cut" d="${barsPath(heights, (bar) => !isKept(bar), 0.5)}"/><path class="axis" d="M0 ${plotHeight + 0.5}H${width}"/>${zeroMark(domain, position)}${kept && rangeMark(kept.from, kept.to)}</svg>`;
}

/** What the picture spans: all that was seen, and the range. A single number gets room on both sides. */
function domainOf({ min, max }: TensorObservation, range: Range | undefined): Range {
  const low = Math.min(min, range?.min ?? min);
  const high = Math.max(max, range?.max ?? max);
  if (high > low) return { min: low, max: high };
  const room = Math.abs(low) || 1;
  return { min: low - room, max: high + room };
}

/** Whole pixels; a bar with a single value in it is seen. */
function logHeights(counts: Float64Array): number[] {
  const most = Math.log1p(Math.max(...counts));
  return Array.from(counts, (count) =>
    count > 0 ? Math.max(2, Math.round((plotHeight * Math.log1p(count)) / most)) : 0,
  );
}

/** All bars as one path; `inset` keeps the outline of hollow ones inside their bar. */
function barsPath(heights: readonly number[], isWanted: (bar: number) => boolean, inset: number): string {
  return heights
    .map((barHeight, bar) => {
      if (barHeight === 0 || !isWanted(bar)) return '';
      const across = barWidth - 2 * inset;
      const up = barHeight - 2 * inset;
      return `M${bar * barPitch + inset} ${plotHeight - inset}v${-up}h${across}v${up}z`;
    })
    .join('');
}

const zeroMark = ({ min, max }: Range, position: (value: number) => number): Html | undefined =>
  min <= 0 && max >= 0 ? html`<path class="zero" d="M${pixels(position(0))} ${plotHeight}v3"/>` : undefined;

/** A bracket: a line below the axis with an upright at both ends, over the whole height. */
function rangeMark(from: number, to: number): Html {
  const [left, right] = [Math.max(0.5, from), Math.min(width - 0.5, Math.max(to, from + 1))].map(pixels);
  return html`<path class="range" d="M${left} 0V${height - 2}H${right}V0"/>`;
}

const pixels = (value: number): number => Math.round(10 * value) / 10;

function labelOf({ min, max }: TensorObservation, range: Range | undefined): string {
  const seen = `Values from ${formatNumber(min)} to ${formatNumber(max)}`;
  if (!range) return seen;
  const part = max > min ? (range.max - range.min) / (max - min) : 1;
  return `${seen}; the range ${formatNumber(range.min)} to ${formatNumber(range.max)} is ${formatShare(part)} of that width`;
}
