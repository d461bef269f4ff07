import { chartStyles } from './benchmark/chart-styles.ts';

/** The look of the page: system fonts, light and dark by what the reader prefers, and ink on paper when printed. */
export const styles = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --panel: #f4f5f7; --text: #1b1f24; --quiet: #57606a; --line: #d3d8de;
  --accent: #0b5cad; --bar: #3b7dc4; --cut: #a3391b; --good: #17682f; --bad: #a3271b; --warn: #fff4d6; --warn-line: #a86a00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171b; --panel: #1d2127; --text: #e4e7eb; --quiet: #9da7b3; --line: #3a424c;
    --accent: #7ab7f5; --bar: #6aa7e8; --cut: #f08a6a; --good: #6fd08c; --bad: #ff8f80; --warn: #322708; --warn-line: #d9a441;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main, header, nav, footer { max-width: 76rem; margin: 0 auto; padding: 0 1.5rem; }
header { padding-top: 2rem; }
footer { padding: 1.5rem; color: var(--quiet); font-size: 13px; }
h1 { margin: 0 0 .25rem; font-size: 1.7rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 2.5rem 0 .75rem; padding-bottom: .3rem; border-bottom: 2px solid var(--line); font-size: 1.3rem; overflow-wrap: anywhere; }
h3 { margin: 1.75rem 0 .5rem; font-size: 1.05rem; }
p { margin: .5rem 0; max-width: 80ch; }
ul { margin: .5rem 0; padding-left: 1.3rem; }
li { max-width: 80ch; overflow-wrap: anywhere; }
a { color: var(--accent); }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: .5rem 0 0; list-style: none; }
.lead { color: var(--quiet); }
code, pre, tbody .name { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 13px; }
code { overflow-wrap: anywhere; }
pre { margin: .5rem 0; padding: .75rem 1rem; overflow-x: auto; background: var(--panel); border: 1px solid var(--line); border-radius: 6px; line-height: 1.45; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.25rem; margin: .75rem 0; }
.facts dt { color: var(--quiet); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.facts ul, td ul { margin: 0; padding-left: 1.1rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: .75rem; margin: 1rem 0; padding: 0; list-style: none; }
.tiles li { max-width: none; padding: .75rem 1rem; background: var(--panel); border: 1px solid var(--line); border-radius: 6px; }
.tiles .label { display: block; color: var(--quiet); font-size: 13px; }
.tiles .value { display: block; font-size: 1.45rem; font-weight: 600; line-height: 1.3; font-variant-numeric: tabular-nums; }
.tiles .more { display: block; font-size: 13px; font-variant-numeric: tabular-nums; }
.good { color: var(--good); }
.bad { color: var(--bad); }
.warning { max-width: none; padding: .6rem 1rem; background: var(--warn); border: 1px solid var(--warn-line); border-left-width: 6px; border-radius: 6px; }
.scroll { max-height: 36rem; margin: .75rem 0; overflow: auto; border: 1px solid var(--line); border-radius: 6px; }
table { width: 100%; border-collapse: collapse; font-size: 13.5px; font-variant-numeric: tabular-nums; }
caption { padding: .5rem .75rem; text-align: left; color: var(--quiet); }
th, td { padding: .35rem .6rem; border-top: 1px solid var(--line); text-align: left; vertical-align: middle; }
thead th { position: sticky; top: 0; z-index: 1; background: var(--panel); white-space: nowrap; font-weight: 600; }
tbody th { font-weight: 400; }
.name { min-width: 12rem; overflow-wrap: anywhere; }
.number { text-align: right; white-space: nowrap; }
thead th button { padding: 0; border: 0; background: none; color: inherit; font: inherit; cursor: pointer; }
thead th button::after { content: " \\2195"; color: var(--quiet); }
[aria-sort=ascending] button::after { content: " \\2191"; color: inherit; }
[aria-sort=descending] button::after { content: " \\2193"; color: inherit; }
.histogram { display: block; }
.histogram .kept { fill: var(--bar); }
.histogram .cut { fill: none; stroke: var(--cut); }
.histogram .axis { stroke: var(--line); }
.histogram .zero { stroke: var(--text); }
.histogram .range { fill: none; stroke: var(--text); stroke-width: 1; }
details { margin: .75rem 0; }
td details { margin: 0; }
summary { cursor: pointer; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
@media (max-width: 40rem) {
  main, header, nav { padding-left: 1rem; padding-right: 1rem; }
  .facts { grid-template-columns: 1fr; gap: 0; }
  .facts dd { margin-bottom: .5rem; }
  .name { min-width: 9rem; }
}
@media print {
  :root {
    color-scheme: light;
    --page: #fff; --panel: #fff; --text: #000; --quiet: #333; --line: #999; --accent: #000;
    --bar: #555; --cut: #000; --good: #000; --bad: #000; --warn: #fff; --warn-line: #000;
  }
  body { font-size: 10pt; }
  main, header, footer { max-width: none; padding: 0; }
  nav, thead th button::after { display: none; }
  .scroll { max-height: none; overflow: visible; border: 0; }
  thead th { position: static; }
  table { font-size: 8pt; }
  th, td { padding: .15rem .3rem; }
  thead th, .number { white-space: normal; }
  tbody .name { min-width: 6.5rem; font-size: 7pt; }
  caption { padding: .15rem .3rem; }
  .histogram { width: 7rem; height: auto; }
  .tiles { grid-template-columns: repeat(4, 1fr); }
  .tiles .value { font-size: 1.2rem; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; }
  tr, .tiles li, .warning, pre { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
}
${chartStyles}`;
