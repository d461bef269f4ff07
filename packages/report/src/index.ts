export { type RenderOptions, renderHtml } from './render-html.ts';
export { renderStatisticsHtml, type StatisticsOptions } from './render-statistics-html.ts';
