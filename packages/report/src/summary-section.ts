import type { QuantizeReport, SessionReport, SpeedComparison } from '@optimum/core';
import { formatBytes, formatMs } from '@optimum/core';
import { counted, formatCount, formatNumber, formatShare } from './format.ts';
import { type Html, html, type Part } from './html.ts';
import { facts, list, warning } from './table.ts';
import { kernelNames } from './verification-section.ts';

/** For what, with what, and what must not be overlooked. */
export function summarySection(report: QuantizeReport): Html {
  const { target, runtime } = report;
  const where = target.isThisMachine ? 'this machine' : 'another machine than the one that made it';
  const unverified = report.sessions.filter(({ verification }) => verification.status === 'unverified');
  const guessed = report.sessions.filter(({ calibration }) => calibration?.madeUp);
  return html`${!report.published && warning('this was a dry run: nothing was written.')}${
    unverified.length > 0 && warning(html`not verified: ${namesOf(unverified)}.`)
  }${guessed.length > 0 && warning(html`ranges come from made-up inputs and are a guess: ${namesOf(guessed)}. Calibrate with --data.`)}${facts(
    [
      ['Target', html`${target.name} (<code>${target.id}</code>, backend <code>${target.backend}</code>): ${where}`],
      ['CPU', report.cpu],
      ['Runtime', runtime ? `${runtime.id} ${runtime.version}` : 'none found'],
      ['Recipe', report.recipe],
      ['Output', html`<code>${report.output}</code>`],
      ['Took', formatMs(report.durationMs)],
      ['Notes', list(report.notes)],
    ],
  )}`;
}

const namesOf = (sessions: readonly SessionReport[]): string => sessions.map(({ name }) => name).join(', ');

interface Tile {
  readonly label: string;
  readonly value: Part;
  /** Lines below the value. */
  readonly more: readonly string[];
}

/** The numbers of a session that people ask for first. */
export function tiles(session: SessionReport): Html {
  const { verification } = session;
  const proved = verification.status === 'verified' ? verification : undefined;
  const shown = [
    sizeTile(session),
    speedTile(proved?.speed, proved ? 'see what was not checked' : 'not verified'),
    proved && {
      label: 'Error of the outputs',
      value: formatNumber(+proved.relativeError.toPrecision(2)),
      more: [`relative, over ${counted(proved.cases.length, 'input')}`, `cosine ${proved.cosine.toFixed(5)}`],
    },
    integerTile(session, proved && kernelNames(proved.kernels)),
  ];
  return html`<ul class="tiles">${shown.map((tile) => tile && tileItem(tile))}</ul>\n`;
}

const tileItem = ({ label, value, more }: Tile): Html =>
  html`<li><span class="label">${label}</span> <span class="value">${value}</span> ${more.map((line) => html`<span class="more">${line}</span> `)}</li>\n`;

function sizeTile({ bytes: { before, after } }: SessionReport): Tile {
  if (after === 0) return { label: 'Size', value: formatBytes(before), more: ['before; nothing was written'] };
  const part = before > 0 ? `${formatShare(after / before)} of ` : '';
  return { label: 'Size', value: formatBytes(after), more: [`${part}${formatBytes(before)}`] };
}

const verdicts: Readonly<Record<SpeedComparison['verdict'], { readonly word: string; readonly style: string }>> = {
  faster: { word: 'faster', style: 'value good' },
  slower: { word: 'slower', style: 'value bad' },
  same: { word: 'no difference shown', style: 'value' },
};

function speedTile(speed: SpeedComparison | undefined, why: string): Tile {
  if (!speed) return { label: 'Speed', value: 'not measured', more: [why] };
  const { word, style } = verdicts[speed.verdict];
  const shapes = Object.entries(speed.input).map(([name, dims]) => `${name} ${dims.join('×') || 'scalar'}`);
  return {
    label: `Speed: ${word}`,
    value: html`<span class="${style}">${speed.speedup.toFixed(2)}×</span>`,
    more: [
      `95 % interval ${speed.low.toFixed(2)} to ${speed.high.toFixed(2)}`,
      `${formatMs(speed.originalMs)} → ${formatMs(speed.quantizedMs)}`,
      `${counted(speed.threads, 'thread')}, ${counted(speed.rounds, 'round')}`,
      shapes.join(', '),
    ],
  };
}

function integerTile({ operators }: SessionReport, kernels: string | undefined): Tile {
  const counts = Object.values(operators);
  const integer = counts.reduce((sum, count) => sum + count.integer, 0);
  const total = counts.reduce((sum, count) => sum + count.total, 0);
  return {
    label: 'Integer operators',
    value: `${formatCount(integer)} of ${formatCount(total)}`,
    more: kernels ? [`kernels: ${kernels}`] : [],
  };
}
