import type { BenchmarkReport } from '@optimum/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderBenchmarkHtml } from '../index.ts';
import { hostileTexts, skeletonOf, textOf, withTexts } from '../test-markup.ts';
import { type SampleShape, sampleBenchmark } from './test-benchmark-report.ts';

const shown = (shape: SampleShape): string => renderBenchmarkHtml(sampleBenchmark(shape));
const titles = (document: string): string[] =>
  [...document.matchAll(/<h2>([^<]*)<\/h2>/g)].map(([, title]) => title ?? '');
const pictures = (document: string): number => document.match(/<svg role="img"/g)?.length ?? 0;

describe('renderBenchmarkHtml', () => {
  const document = shown({});
  const text = textOf(document);

  it.each([
    ['what weakens the figures', 'Careful: 23 % of the CPU was used by others'],
    ['where it was measured', 'AMD EPYC 9R14 (class avx512-vnni), 4 cores granted of 8'],
    ['runtime', 'onnxruntime 1.30.0'],
    ['speed-up with its interval', '3.13× (3.07× to 3.19×)'],
    ['quantiles in words', 'p90 232.5 ms (230.2 to 234.9)'],
    ['operators in words', 'MatMulIntegerToFloat 80.2 %'],
    [
      'the best settings',
      'Best for throughput of A bert-base: 4 instances of 1 thread; session.intra_op.allow_spinning=0',
    ],
    ['marks of the trials', 'best, on the front'],
    ['sizes', '436 MB'],
  ])('shows %s', (_, wanted) => expect(text).toContain(wanted));

  it('puts the warnings before everything else', () => {
    expect(document.indexOf('class="warning"')).toBeLessThan(document.indexOf('class="tiles"'));
  });

  it('shows the command where it is known', () => {
    expect(textOf(renderBenchmarkHtml(sampleBenchmark(), { command: 'optimum benchmark "a b"' }))).toContain(
      'optimum benchmark "a b"',
    );
    expect(text).not.toContain('The command');
  });

  it('has energy and cost only where they were measured', () => {
    expect(text).not.toContain('Joules per run');
    expect(textOf(shown({ withEnergy: true }))).toMatch(/Joules per run Cost of a million/);
  });

  it('gives every picture a title and a description of its own', () => {
    const ids = [...document.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const named = [...document.matchAll(/aria-labelledby="([^" ]+) ([^" ]+)"/g)].flatMap(([, title, words]) => [
      title,
      words,
    ]);
    expect(named.length).toBe(2 * pictures(document));
    expect(ids).toEqual(expect.arrayContaining(named));
    expect(document).not.toMatch(/<(title|desc)[^>]*><\/\1>/);
  });

  it('tells models apart without colour: letters, forms and dashes differ', () => {
    const legend = /<ul class="legend">([\s\S]*?)<\/ul>/.exec(document)?.[1] ?? '';
    const marks = [...legend.matchAll(/class="mark series-\d" d="([^"]+)"/g)].map(([, path]) => path);
    expect([new Set(marks).size, legend.match(/<strong>[ABC]<\/strong>/g)?.length]).toEqual([3, 3]);
  });

  it('lets nothing load and has no style but that of the page', () => {
    expect(document).toContain("content=\"default-src 'none';");
    expect(document).not.toMatch(/\b(src|action|style|on[a-z]+)="|https?:|url\(|@import/);
  });

  it.each<[string, SampleShape, string[], number]>([
    ['one model', { models: 1 }, ['Speed-up'], 27],
    ['no sequence and no batch', { batches: [undefined], sequences: [undefined] }, [], 7],
    ['no operators', { withOperators: false }, ['Time by operator'], 22],
    ['no search', { withSearch: false }, ['Search for settings'], 27],
    ['one run', { runs: 1, batches: [1], sequences: [128] }, [], 7],
    ['no point at all', { batches: [], withSearch: false }, ['Latency', 'Speed-up', 'All figures'], 0],
  ])('takes %s', (_, shape, absent, expectedPictures) => {
    const small = shown(shape);
    expect(titles(small)).not.toEqual(expect.arrayContaining(absent.length > 0 ? absent : ['none']));
    expect(pictures(small)).toBe(expectedPictures);
    expect(small.replace(/<script>[\s\S]*<\/script>/, '')).not.toMatch(/NaN|Infinity|undefined/);
    expect(() => skeletonOf(small)).not.toThrow();
  });

  it('draws no interval where there is none', () => {
    const report = sampleBenchmark({ models: 1, batches: [1], sequences: [128], withSearch: false });
    const single = JSON.parse(JSON.stringify(report), (key, value) => (key === 'low' || key === 'high' ? null : value));
    const small = renderBenchmarkHtml(single);
    expect(small).not.toMatch(/class="whisker/);
    expect(textOf(small)).toContain('223.6 ms, batch 1, sequence 128');
  });

  it('has the same markup whatever the texts in it say', () => {
    const render = (report: BenchmarkReport, make: (ordinal: number) => string, command: string): string =>
      skeletonOf(renderBenchmarkHtml(withTexts(report, make), { command }));
    const report = sampleBenchmark({ batches: [1], sequences: [16, 128] });
    const wanted = render(report, (ordinal) => `x${ordinal}`, 'x');
    fc.assert(
      fc.property(hostileTexts, (evil) => {
        expect(render(report, (ordinal) => `${evil}#${ordinal}`, `${evil}#`)).toBe(wanted);
      }),
      { numRuns: 40 },
    );
  });
});
