import type { CalibrationMethod, CalibrationReport, DataShard, ExcludedValues } from '@optimum/core';
import { formatMs } from '@optimum/core';
import { counted, formatCount, formatShare } from './format.ts';
import { type Html, html, type Part } from './html.ts';
import { facts, list, warning } from './table.ts';
import { clippedOf, excludedCount, excludedText, type ShownTensor, tensorTable } from './tensor-table.ts';

/** How ranges were found, on which data, and how well they fit. */
export function calibrationSection({ method, samples, data, madeUp, durationMs, tensors }: CalibrationReport): Html {
  const shown = tensors.map((tensor) => ({ id: tensor.id, observation: tensor.observation, chosen: tensor }));
  return html`${madeUp && madeUpWarning}${facts([
    ['Method', methodText(method)],
    ['Samples', formatCount(samples)],
    ['Data', dataCell(data)],
    ['Took', durationMs > 0 ? formatMs(durationMs) : 'nothing: the statistics came from a file'],
    ...observedFacts(shown),
  ])}${tensorTable(shown, 'Calibrated tensors, in the order of the plan')}`;
}

/** What is worth knowing about all tensors together. */
export const observedFacts = (tensors: readonly ShownTensor[]): (readonly [string, Part])[] => [
  ['Tensors', formatCount(tensors.length)],
  ['Clip the most', clippingCell(tensors)],
  ['Kept out of ranges', excludedText(sumOf(tensors.map(({ observation }) => observation.excluded)))],
  ['Most of these in', excludedCell(tensors)],
];

export const madeUpWarning = warning(
  'there was no data, so these ranges come from made-up inputs. They are a guess: real inputs may lie outside them, and are clipped then. Calibrate with --data.',
);

const methodTexts: Readonly<Record<CalibrationMethod['id'], string>> = {
  'min-max': 'all that was seen',
  'moving-average': 'mean over runs of the least and the greatest value of each',
  percentile: 'this percentage of the values lies inside the range',
  entropy: 'least Kullback-Leibler divergence',
  'entropy-onnxruntime': "Kullback-Leibler divergence as ONNX Runtime's Python tool computes it",
  mse: 'least mean squared quantization error',
  'mean-sigma': 'mean ± so many standard deviations',
};

export function methodText(method: CalibrationMethod): Html {
  const { id, ...numbers } = method;
  const settings = Object.entries(numbers).map(([name, value]) => `, ${name} ${value}`);
  return html`<code>${id}</code>${settings} (${methodTexts[id]})`;
}

/** Stretches of samples that are named; a selection by seed has as many as samples. */
const namedRanges = 4;

function samplesText(ranges: DataShard['ranges']): string {
  const named = ranges
    .slice(0, namedRanges)
    .map(([from, to]) => (to - from === 1 ? `${from}` : `${from} to ${to - 1}`));
  const count = ranges.reduce((sum, [from, to]) => sum + to - from, 0);
  return ranges.length > namedRanges
    ? `${count} samples from ${ranges[0]?.[0]} to ${(ranges.at(-1)?.[1] ?? 1) - 1}`
    : `samples ${named.join(', ')}`;
}

/** Source, samples and hash of each data set. */
export const dataCell = (data: readonly DataShard[]): Part =>
  list(data.map(({ source, hash, ranges }) => html`${source}, ${samplesText(ranges)}; SHA-256 <code>${hash}</code>`));

/** So many tensors are named; all are in the table. */
const namedTensors = 3;

function clippingCell(tensors: readonly ShownTensor[]): Part {
  const clipping = tensors
    .map((tensor) => ({ id: tensor.id, clipped: clippedOf(tensor) ?? 0 }))
    .filter(({ clipped }) => clipped > 0)
    .sort((a, b) => b.clipped - a.clipped);
  if (clipping.length === 0) return undefined;
  return named(clipping, ({ id, clipped }) => html`<code>${id}</code> (${formatShare(clipped)})`);
}

function excludedCell(tensors: readonly ShownTensor[]): Part {
  const excluded = tensors
    .map(({ id, observation }) => ({ id, excluded: observation.excluded, count: excludedCount(observation.excluded) }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count);
  if (excluded.length === 0) return undefined;
  return named(excluded, ({ id, excluded: values }) => html`<code>${id}</code> (${excludedText(values)})`);
}

function named<Row>(rows: readonly Row[], text: (row: Row) => Html): Part {
  const more = rows.length - namedTensors;
  const shown = rows.slice(0, namedTensors).map((row, index) => (index > 0 ? html`, ${text(row)}` : text(row)));
  return [shown, more > 0 ? ` and ${counted(more, 'tensor')} more` : undefined];
}

const sumOf = (all: readonly ExcludedValues[]): ExcludedValues =>
  all.reduce(
    (sum, { nan, infinite, sentinel }) => ({
      nan: sum.nan + nan,
      infinite: sum.infinite + infinite,
      sentinel: sum.sentinel + sentinel,
    }),
    { nan: 0, infinite: 0, sentinel: 0 },
  );
