export { type BenchmarkOptions, renderBenchmarkHtml } from './benchmark/render-benchmark-html.ts';
export { type RenderOptions, renderHtml } from './render-html.ts';
export { renderStatisticsHtml, type StatisticsOptions } from './render-statistics-html.ts';
