import type { AlgorithmReport } from '@optimum/core';
import { formatCount, formatNumber, formatShare } from './format.ts';
import { type Html, html } from './html.ts';
import { list, table } from './table.ts';

/** Accuracy algorithms in the order in which they ran, and what each gained. */
export const algorithmSection = (algorithms: readonly AlgorithmReport[]): Html =>
  table(
    algorithms,
    [
      { title: 'Algorithm', kind: 'name', cell: ({ id }) => id },
      {
        title: 'Changed',
        kind: 'number',
        cell: ({ applied, considered }) => `${formatCount(applied)} of ${formatCount(considered)}`,
      },
      { title: 'Error of a layer', kind: 'number', cell: errorText },
      { title: 'Gain', kind: 'number', cell: gainText },
      { title: 'Notes', cell: ({ notes }) => list(notes) },
    ],
    { caption: 'Relative error of the outputs of the layers that were changed, mean' },
  );

const errorText = ({ applied, errorBefore, errorAfter }: AlgorithmReport): string =>
  applied > 0 ? `${formatNumber(errorBefore)} → ${formatNumber(errorAfter)}` : '–';

function gainText({ applied, errorBefore, errorAfter }: AlgorithmReport): Html {
  if (applied === 0 || errorBefore === 0) return html`–`;
  const change = (errorAfter - errorBefore) / errorBefore;
  if (change === 0) return html`no change`;
  return change < 0
    ? html`<span class="good">${formatShare(-change)} less error</span>`
    : html`<span class="bad">${formatShare(change)} more error</span>`;
}
