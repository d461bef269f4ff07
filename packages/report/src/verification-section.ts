import type { CaseResult, IntegerCheck, KernelCheck, OutputDifference, Verification } from '@optimum/core';
import { counted, formatCount, formatNumber, formatShare } from './format.ts';
import { type Html, html, type Part } from './html.ts';
import { facts, list, table, warning } from './table.ts';

/** What was proved on the runtime, and what could not be. */
export function verificationSection(verification: Verification): Html {
  if (verification.status === 'unverified') {
    return warning(html`this model was not verified: ${verification.reason}. ${verification.hint}`);
  }
  const { kernels, integers, cases, outputs, notChecked } = verification;
  return html`${facts([
    ['Integer kernels', kernelText(kernels)],
    ['Exact integers', integerText(integers)],
    ['Compared on', casesCell(cases)],
    ['Not checked', list(notChecked)],
  ])}${outputs.length > 0 && outputTable(outputs)}`;
}

/** `12 MatMulIntegerToFloat, 3 QLinearConv`. */
export const kernelNames = ({ found }: KernelCheck): string =>
  Object.entries(found)
    .map(([op, count]) => `${formatCount(count)} ${op}`)
    .join(', ');

function kernelText(kernels: KernelCheck): Part {
  const { expected, missing, stayedFloat, dequantizedEveryRun } = kernels;
  const troubles = [
    ...missing.map((row) => `${row.kind}: ${row.found} of ${row.expected}`),
    ...stayedFloat.map((name) => `in float all the same: ${name}`),
    ...dequantizedEveryRun.map((name) => `its weight is dequantized on every run: ${name}`),
  ];
  const found = kernelNames(kernels) || 'none';
  return [`${found} in the graph that the runtime made (at least ${formatCount(expected)} expected)`, list(troubles)];
}

function integerText({ nodes, notTapped, outputs, wrong, worst }: IntegerCheck): Part {
  if (outputs === 0)
    return `not checked${notTapped > 0 ? `: ${counted(notTapped, 'product')} cannot be read out` : ''}`;
  const equal = `${formatCount(outputs - wrong)} of ${formatCount(outputs)} integer outputs of ${counted(nodes, 'product')} equal exact arithmetic`;
  const rows = worst.map(
    (row) =>
      `${row.node}: ${formatCount(row.wrong)} of ${formatCount(row.outputs)} wrong, by ${formatNumber(row.largest)} at most`,
  );
  return [equal, list(rows)];
}

function casesCell(cases: readonly CaseResult[]): Part {
  const labels = cases.map(({ label }) => label);
  return [counted(cases.length, 'input'), labels.length > 0 && `: ${labels.join(', ')}`];
}

const outputTable = (outputs: readonly OutputDifference[]): Html =>
  table(
    outputs,
    [
      { title: 'Output', kind: 'name', cell: ({ name }) => name },
      {
        title: 'Relative error',
        kind: 'number',
        cell: ({ relativeError }) => formatNumber(relativeError),
        sort: ({ relativeError }) => relativeError,
      },
      { title: 'Cosine', kind: 'number', cell: ({ cosine }) => cosine.toFixed(6), sort: ({ cosine }) => cosine },
      {
        title: 'Same greatest element',
        kind: 'number',
        cell: ({ sameTop }) => formatShare(sameTop),
        sort: ({ sameTop }) => sameTop,
      },
      {
        title: 'Elements',
        kind: 'number',
        cell: ({ elements }) => formatCount(elements),
        sort: ({ elements }) => elements,
      },
      {
        title: 'NaN or infinite only here',
        kind: 'number',
        cell: ({ nonFinite }) => formatCount(nonFinite),
        sort: ({ nonFinite }) => nonFinite,
      },
    ],
    { caption: 'Every output against the original, over all inputs', sortable: true },
  );
