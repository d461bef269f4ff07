import type { QuantizeReport } from '@optimum/core';
import { type Html, html, lines } from './html.ts';
import { facts } from './table.ts';

export const commandBlock = (command: string): Html =>
  html`<p>The command:</p><pre tabindex="0"><code>${lines(command)}</code></pre>\n`;

/** What is needed to make the same again, and how the result is loaded. */
export function reproduceSection(report: QuantizeReport, command: string | undefined): Html {
  const { target, runtime, recipe, sessions, snippet } = report;
  return html`${command && commandBlock(command)}${facts([
    ['Target', html`<code>--target ${target.id}</code>`],
    ['Recipe', html`<code>--recipe ${recipe}</code>`],
    ['Runtime', runtime && `${runtime.id} ${runtime.version}`],
    ...sessions.map(({ name, input }) => [`Model: ${name}`, html`<code>${input}</code>`] as const),
  ])}<p>The same decisions again: <code>optimum quantize --dry-run --json</code> prints the plan, and <code>--plan</code> follows it.</p>
<p>Code that loads the result:</p>
<pre tabindex="0"><code>${lines(snippet)}</code></pre>
`;
}
