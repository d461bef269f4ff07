import type { CalibratedTensor, ExcludedValues, TensorObservation } from '@optimum/core';
import { formatCount, formatNumber, formatShare } from './format.ts';
import { histogramSvg } from './histogram-svg.ts';
import type { Html } from './html.ts';
import { type Column, table } from './table.ts';

/** A tensor that was observed, and what was made of it where something could be. */
export interface ShownTensor {
  readonly id: string;
  readonly observation: TensorObservation;
  readonly chosen?: Omit<CalibratedTensor, 'id' | 'observation'> | undefined;
}

/** One line per tensor with its numbers and, where there are histograms, its picture. */
export function tensorTable(tensors: readonly ShownTensor[], caption: string): Html {
  const hasPictures = tensors.some(({ observation }) => observation.histogram);
  if (!hasPictures) return table(tensors, [name, ...columns], { caption, sortable: true });
  return table(tensors, [name, picture, ...columns], { caption: `${caption}. ${legend}`, sortable: true });
}

const legend =
  'Pictures: values from least to greatest, counts on a logarithmic scale; the bracket is the range, hollow bars lie outside it, a tick marks zero.';

const name: Column<ShownTensor> = { title: 'Tensor', kind: 'name', cell: ({ id }) => id };

const picture: Column<ShownTensor> = {
  title: 'Values and range',
  kind: 'picture',
  cell: ({ observation, chosen }) => histogramSvg(observation, chosen?.range),
};

const columns: readonly Column<ShownTensor>[] = [
  { title: 'Type', cell: ({ chosen }) => chosen?.elementType },
  {
    title: 'Seen',
    kind: 'number',
    cell: ({ observation }) => (observation.elements > 0 ? rangeText(observation) : 'nothing'),
    sort: ({ observation }) => widthOf(observation),
  },
  {
    title: 'Range',
    kind: 'number',
    cell: ({ chosen }) => (chosen ? rangeText(chosen.range) : '–'),
    sort: ({ chosen }) => chosen && widthOf(chosen.range),
  },
  {
    title: 'Scale',
    kind: 'number',
    cell: ({ chosen }) => (chosen ? formatNumber(chosen.scale) : '–'),
    sort: ({ chosen }) => chosen?.scale,
  },
  {
    title: 'Zero point',
    kind: 'number',
    cell: ({ chosen }) => (chosen ? formatCount(chosen.zeroPoint) : '–'),
    sort: ({ chosen }) => chosen?.zeroPoint,
  },
  {
    title: 'Clipped',
    kind: 'number',
    cell: (tensor) => clippedText(tensor),
    sort: (tensor) => clippedOf(tensor),
  },
  {
    title: 'Kept out',
    kind: 'text',
    cell: ({ observation }) => excludedText(observation.excluded),
    sort: ({ observation }) => excludedCount(observation.excluded),
  },
];

const widthOf = ({ min, max }: { readonly min: number; readonly max: number }): number => max - min;

const rangeText = ({ min, max }: { readonly min: number; readonly max: number }): string =>
  `${formatNumber(min)} … ${formatNumber(max)}`;

/** Unknown where a range cuts something off and nothing was counted. */
export function clippedOf({ observation, chosen }: ShownTensor): number | undefined {
  if (!chosen) return undefined;
  const cuts = chosen.range.min > observation.min || chosen.range.max < observation.max;
  return cuts && !observation.histogram ? undefined : chosen.clipped;
}

function clippedText(tensor: ShownTensor): string {
  const clipped = clippedOf(tensor);
  if (clipped !== undefined) return formatShare(clipped);
  return tensor.chosen ? 'not counted' : '–';
}

export const excludedCount = ({ nan, infinite, sentinel }: ExcludedValues): number => nan + infinite + sentinel;

/** `12 NaN, 3 infinite, 4 masked`; what there is none of is left out. */
export function excludedText({ nan, infinite, sentinel }: ExcludedValues): string {
  const kinds = [
    [nan, 'NaN'],
    [infinite, 'infinite'],
    [sentinel, 'masked'],
  ] as const;
  const shown = kinds.filter(([count]) => count > 0).map(([count, kind]) => `${formatCount(count)} ${kind}`);
  return shown.join(', ') || 'none';
}
