import {
  type ActivationScheme,
  type CalibrationMethod,
  clippedShare,
  detailOf,
  quantizationParameters,
  rangeOf,
  type SessionStatistics,
  type Statistics,
  type TensorObservation,
} from '@optimum/core';
import { dataCell, madeUpWarning, methodText, observedFacts } from './calibration-section.ts';
import { formatCount } from './format.ts';
import { type Html, html } from './html.ts';
import { page } from './page.ts';
import { commandBlock } from './reproduce-section.ts';
import { facts } from './table.ts';
import { type ShownTensor, tensorTable } from './tensor-table.ts';

export interface StatisticsOptions {
  /** How the tensors would be stored; unsigned 8 bits when nothing is said, as in most recipes. */
  readonly scheme?: ActivationScheme | undefined;
  /** Names of the sessions that ran on made-up inputs: the page warns of their ranges. */
  readonly madeUp?: readonly string[] | undefined;
  /** The command that made the statistics, as it was typed. */
  readonly command?: string | undefined;
}

const usualScheme: ActivationScheme = { elementType: 'uint8', symmetric: false };

/**
 * What was observed, as one self-contained HTML page, with the ranges that a method chooses from it. Statistics do not
 * know how a tensor will be stored: ranges, scales and zero points are those of one scheme for all.
 */
export function renderStatisticsHtml(
  statistics: Statistics,
  method: CalibrationMethod,
  { scheme = usualScheme, madeUp = [], command }: StatisticsOptions = {},
): string {
  const sessions = Object.entries(statistics.sessions);
  return page({
    title: `Calibration of ${sessions.map(([name]) => name).join(', ')}`,
    lead: html`Ranges by ${methodText(method)}, as for ${scheme.elementType}${scheme.symmetric && ', symmetric'}`,
    sections: [
      ...sessions.map(([name, session]) => ({
        title: `Session ${name}`,
        content: html`${madeUp.includes(name) && madeUpWarning}${sessionSection(session, method, scheme)}`,
      })),
      ...(command ? [{ title: 'How to reproduce', content: commandBlock(command) }] : []),
    ],
  });
}

function sessionSection(session: SessionStatistics, method: CalibrationMethod, scheme: ActivationScheme): Html {
  const tensors = Object.entries(session.tensors).map(([id, observation]) =>
    shownTensor(id, observation, method, scheme),
  );
  return html`${facts([
    ['Samples', formatCount(session.samples)],
    ['Data', dataCell(session.data)],
    ['Model', html`SHA-256 <code>${session.model}</code>`],
    ...observedFacts(tensors),
  ])}${tensorTable(tensors, 'Observed tensors, in the order of the file')}`;
}

/** Nothing is chosen where there was no value, or where the method would need a histogram that was not asked for. */
function shownTensor(
  id: string,
  observation: TensorObservation,
  method: CalibrationMethod,
  scheme: ActivationScheme,
): ShownTensor {
  const isEnough = observation.histogram || detailOf(method) === 'range';
  if (observation.elements === 0 || !isEnough) return { id, observation };
  const range = rangeOf(observation, method, scheme);
  const chosen = {
    elementType: scheme.elementType,
    range,
    ...quantizationParameters(range, scheme),
    clipped: clippedShare(observation, range),
  };
  return { id, observation, chosen };
}
