import type { BenchmarkReport } from '@optimum/core';
import { type Html, html, lines } from '../html.ts';
import { facts } from '../table.ts';

/** The command, and what must be the same for the figures to be. */
export const benchmarkReproduce = ({ cpu, runtime, models }: BenchmarkReport, command: string | undefined): Html =>
  html`${command && html`<p>The command:</p><pre tabindex="0"><code>${lines(command)}</code></pre>\n`}${facts([
    ['CPU', `${cpu.name}, class ${cpu.class}`],
    ['Runtime', `${runtime.id} ${runtime.version}`],
    ...models.map(({ name, path }) => [`Model: ${name}`, html`<code>${path}</code>`] as const),
  ])}<p>Models ran in processes of their own and took turns, so that what slows the machine down hits them alike. Ratios carry over to another day better than times: compare ratios.</p>
`;
