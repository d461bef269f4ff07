import type { QuantizeReport, SessionReport } from '@optimum/core';
import { algorithmSection } from './algorithm-section.ts';
import { calibrationSection } from './calibration-section.ts';
import { type Html, html } from './html.ts';
import { page } from './page.ts';
import { planSection } from './plan-section.ts';
import { reproduceSection } from './reproduce-section.ts';
import { summarySection, tiles } from './summary-section.ts';
import { facts, list } from './table.ts';
import { verificationSection } from './verification-section.ts';

export interface RenderOptions {
  /** The command that made the report, as it was typed. */
  readonly command?: string | undefined;
}

/**
 * The report as one self-contained HTML page: it loads nothing, and no text in it can be markup, wherever the model
 * came from.
 */
export function renderHtml(report: QuantizeReport, { command }: RenderOptions = {}): string {
  const names = report.sessions.map(({ name }) => name);
  return page({
    title: `Quantization of ${names.join(', ') || report.output}`,
    lead: `${report.recipe} for ${report.target.name}`,
    sections: [
      { title: 'Summary', content: html`${summarySection(report)}${report.sessions.map(headline)}` },
      ...report.sessions.map((session) => ({ title: titleOf(session), content: sessionSection(session) })),
      { title: 'How to reproduce', content: reproduceSection(report, command) },
    ],
  });
}

const titleOf = ({ name }: SessionReport): string => `Session ${name}`;

const headline = (session: SessionReport): Html => html`<h3>${session.name}</h3>${tiles(session)}`;

const statusTexts: Readonly<Record<SessionReport['status'], string>> = {
  quantized: 'quantized',
  copied: 'copied as it was: nothing in it can be made integer',
  planned: 'planned only: nothing was written',
};

function sessionSection(session: SessionReport): Html {
  const { calibration, algorithms = [] } = session;
  return html`${facts([
    ['Status', statusTexts[session.status]],
    ['Input', html`<code>${session.input}</code>`],
    ['Output', html`<code>${session.output}</code>`],
    ['Notes', list(session.notes)],
  ])}<h3>Plan</h3>
${planSection(session)}${calibration && html`<h3>Calibration</h3>\n${calibrationSection(calibration)}`}${
  algorithms.length > 0 && html`<h3>Accuracy algorithms</h3>\n${algorithmSection(algorithms)}`
}<h3>Verification</h3>
${verificationSection(session.verification)}`;
}
