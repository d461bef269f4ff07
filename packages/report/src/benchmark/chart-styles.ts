/** The look of pictures: each series has a colour, a form of its mark and its own dashes; in print only the latter two. */
export const chartStyles = `
:root {
  --series-0: #0b5cad; --series-1: #b3500b; --series-2: #17682f; --series-3: #8a3aa3;
  --series-4: #a3271b; --series-5: #006d77; --series-6: #7a5c00; --series-7: #57606a; --on-series: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --series-0: #7ab7f5; --series-1: #f0a35e; --series-2: #6fd08c; --series-3: #d3a4f2;
    --series-4: #ff8f80; --series-5: #5cc8d0; --series-6: #d9c04a; --series-7: #aab4c0; --on-series: #14171b;
  }
}
${Array.from({ length: 8 }, (_, index) => `.series-${index} { --series: var(--series-${index}); }`).join('\n')}
.chart { margin: 1rem 0; }
.chart figcaption { margin-bottom: .25rem; font-weight: 600; }
.frame { overflow-x: auto; }
.frame svg { display: block; width: 100%; min-width: 34rem; max-width: 60rem; height: auto; }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(21rem, 100%), 1fr)); gap: .5rem 1.5rem; }
.panels.wide { grid-template-columns: repeat(auto-fill, minmax(min(30rem, 100%), 1fr)); }
.panels .chart { min-width: 0; }
.panels .frame svg { min-width: 19rem; max-width: 36rem; }
.panels.wide .frame svg { min-width: 26rem; }
.frame text { fill: var(--text); font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; font-variant-numeric: tabular-nums; }
.frame .tick, .frame .label { fill: var(--quiet); }
.frame .group, .frame .reference-label { font-weight: 600; paint-order: stroke; stroke: var(--page); stroke-width: 5px; stroke-linejoin: round; }
.frame .letter, .sample .part-label { font-weight: 700; }
.frame .part-label, .sample .part-label { fill: var(--on-series); font-size: 11px; font-weight: 700; }
.frame .grid { fill: none; stroke: var(--line); stroke-width: 1; opacity: .6; }
.frame .axis { fill: none; stroke: var(--quiet); }
.line { fill: none; stroke: var(--series); stroke-width: 2; stroke-linejoin: round; }
.mark { fill: var(--series); stroke: var(--page); stroke-width: 1; }
.whisker { fill: none; stroke: var(--series); stroke-width: 1.5; }
.bar { fill: var(--series); opacity: .55; stroke: var(--series); }
.bar + .whisker { stroke: var(--text); }
.line.series-1 { stroke-dasharray: 7 3; }
.line.series-2 { stroke-dasharray: 2 3; }
.line.series-3 { stroke-dasharray: 9 3 2 3; }
.line.series-4 { stroke-dasharray: 4 2; }
.line.series-5 { stroke-dasharray: 12 4; }
.line.series-6 { stroke-dasharray: 2 2 6 2; }
.line.series-7 { stroke-dasharray: 1 4; }
.part { fill: var(--series); stroke: var(--page); stroke-width: 1; }
.part-rest { fill: var(--line); stroke: var(--page); }
.part-rest + .part-label { fill: var(--text); }
.reference { fill: none; stroke: var(--text); stroke-width: 1.5; }
.whisker.quiet { stroke: var(--quiet); opacity: .5; stroke-width: 1; }
.trial { fill: var(--page); stroke: var(--quiet); stroke-width: 1.5; }
.trial.on-front { fill: var(--series-0); stroke: var(--series-0); }
.front { fill: none; stroke: var(--series-0); stroke-width: 1.5; stroke-dasharray: 5 3; }
.ring { fill: none; stroke: var(--text); stroke-width: 2; }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.5rem; padding: 0; list-style: none; }
.legend li { display: flex; align-items: center; gap: .5rem; max-width: 100%; }
.legend .name { min-width: 0; font-size: 13px; }
.sample { flex: none; }
@media print {
  :root { --on-series: #ffffff; ${Array.from({ length: 8 }, (_, index) => `--series-${index}: #222;`).join(' ')} }
  .frame { overflow: visible; }
  .frame svg { min-width: 0; }
  .chart, .legend { break-inside: avoid; }
}
`;
