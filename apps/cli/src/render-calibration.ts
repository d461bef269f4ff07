import type { Statistics, TensorObservation } from '@optimum/core';
import type { CalibratedSession, CalibrateFileReport } from '@optimum/core/node';
import { colours } from './colours.ts';
import { table } from './table.ts';

/** What was calibrated, on how many samples, and what was kept out. */
export function renderCalibration(report: CalibrateFileReport): string {
  const head = [
    ['target', `${report.target}, recipe ${report.recipe}`],
    ['method', report.method.id],
  ];
  const sessions = report.sessions.map(
    (session) => `\n${colours.bold(session.name)}\n${table(sessionRows(session))}\n`,
  );
  const seconds = (report.durationMs / 1000).toFixed(1);
  return `${table(head)}\n${sessions.join('')}\n${colours.bold('written')} ${report.output}  (${seconds} s)\n`;
}

function sessionRows({ samples, resumedSamples, madeUp, statistics, unobservable }: CalibratedSession): string[][] {
  const tensors = Object.entries(statistics.tensors);
  const sources = statistics.data.map(({ source }) => source).join(', ');
  const rows = [
    ['data', madeUp ? colours.yellow('made-up inputs: ranges are a guess; give real data with --data') : sources],
    ['samples', `${samples}${resumedSamples > 0 ? ` (${resumedSamples} of an earlier run that was stopped)` : ''}`],
    ['tensors', `${tensors.length}`],
    ...excludedRows(tensors),
  ];
  for (const { tensor, reason } of unobservable) rows.push(['unseen', `${tensor}: ${reason}`]);
  return rows;
}

/** Tensors with values that do not count, most of them first. */
const shownTensors = 5;

function excludedRows(tensors: readonly (readonly [string, TensorObservation])[]): string[][] {
  const excluded = tensors
    .map(
      ([
        name,
        {
          excluded: { nan, infinite, sentinel },
        },
      ]) => ({ name, nan, infinite, sentinel }),
    )
    .filter(({ nan, infinite, sentinel }) => nan + infinite + sentinel > 0)
    .sort((a, b) => b.nan + b.infinite + b.sentinel - (a.nan + a.infinite + a.sentinel));
  const shown = excluded.slice(0, shownTensors).map(({ name, nan, infinite, sentinel }) => {
    const kinds = { NaN: nan, infinite, 'mask values': sentinel };
    const counts = Object.entries(kinds).filter(([, count]) => count > 0);
    return ['excluded', `${name}: ${counts.map(([kind, count]) => `${count} ${kind}`).join(', ')}`];
  });
  const more = excluded.length - shown.length;
  return more > 0 ? [...shown, ['excluded', `values of ${more} further tensors`]] : shown;
}

/** What several statistics files add up to. */
export function renderMerged({ sessions }: Statistics, output: string): string {
  const rows = Object.entries(sessions).map(([name, { samples, tensors, data }]) => [
    name,
    `${samples} samples of ${data.map(({ source }) => source).join(', ')}, ${Object.keys(tensors).length} tensors`,
  ]);
  return `${table(rows)}\n\n${colours.bold('written')} ${output}\n`;
}
