import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderHtml, renderStatisticsHtml } from './index.ts';
import { hostileTexts, skeletonOf, textOf, withTexts } from './test-markup.ts';
import { sampleReport, sampleStatistics } from './test-report.ts';

const report = sampleReport(2);
const text = textOf(renderHtml(report));

describe('renderHtml', () => {
  it.each([
    ['sizes', '23.0 MB 25.4 % of 90.4 MB'],
    ['speed', '2.52× 95 % interval 2.47 to 2.55 12.4 ms → 4.93 ms'],
    ['error', '0.031 relative, over 2 inputs cosine 0.99951'],
    ['where it runs', 'AMD Zen 4 (amd-zen-4, backend cpu): this machine'],
    ['runtime', 'onnxruntime-node 1.23.2'],
    ['integer operators', '2 × activations by calibration'],
    ['what stayed in float', 'neither operand is a constant (not-constant)'],
    ['method', 'percentile, percentile 99.999'],
    ['data', 'reviews.jsonl, samples 0 to 99, 200 to 227'],
    ['values kept out', '2 NaN, 2 infinite, 2 masked'],
    ['algorithms', 'smooth-quant 12 of 24 0.0412 → 0.0188 54.4 % less error'],
    ['kernels', '18 MatMulIntegerToFloat, 12 QLinearMatMul, 7 QLinearAdd'],
    ['missing kernels', 'Add: 7 of 8'],
    ['inexact integers', '/q/MatMul: 3 of 49\u202f152 wrong, by 12 at most'],
    ['what was not checked', 'exactness of 6 integer products'],
    ['why nothing was proved', 'onnxruntime-node is not installed. npm install onnxruntime-node'],
    ['made-up data, in the summary', 'Careful: ranges come from made-up inputs and are a guess: decoder_model'],
    ['made-up data, beside the ranges', 'Careful: there was no data, so these ranges come from made-up inputs'],
    ['shares that nobody counted', 'not counted'],
    ['the snippet', "await pipeline('feature-extraction'"],
  ])('shows %s', (_, wanted) => expect(text).toContain(wanted));

  it('shows the command where it is known', () => {
    expect(textOf(renderHtml(report, { command: 'optimum quantize "a b"' }))).toContain('optimum quantize "a b"');
    expect(text).not.toContain('The command');
  });

  it('draws a picture per tensor that has a histogram', () => {
    expect(renderHtml(report).match(/<svg /g)).toHaveLength(6);
  });

  it('lets nothing load, and only its own style and script work', () => {
    const document = renderHtml(report);
    const hashOf = (element: string): string => {
      const content = new RegExp(`<${element}>([^]*?)</${element}>`).exec(document)?.[1] ?? '';
      return createHash('sha256').update(content).digest('base64');
    };
    expect(document).toContain(
      `content="default-src 'none'; style-src 'sha256-${hashOf('style')}'; script-src 'sha256-${hashOf('script')}';`,
    );
    expect(document).not.toMatch(/\b(src|action|style|on[a-z]+)="|https?:|url\(|@import/);
    expect([...document.matchAll(/href="([^"]*)"/g)].every(([, target]) => /^#section-\d+$/.test(target ?? ''))).toBe(
      true,
    );
  });

  it('has the same markup whatever the texts in it say', () => {
    const wanted = skeletonOf(
      renderHtml(
        withTexts(report, (ordinal) => `x${ordinal}`),
        { command: 'x' },
      ),
    );
    fc.assert(
      fc.property(hostileTexts, (evil) => {
        const document = renderHtml(
          withTexts(report, (ordinal) => `${evil}#${ordinal}`),
          { command: `${evil}#` },
        );
        expect(skeletonOf(document)).toBe(wanted);
      }),
      { numRuns: 60 },
    );
  });
});

describe('renderStatisticsHtml', () => {
  const method = { id: 'percentile', percentile: 99.9 } as const;

  it('shows ranges that the method chooses, and tensors without any', () => {
    const shown = textOf(renderStatisticsHtml(sampleStatistics(1), method));
    expect(shown).toContain('−2.929 … 3.064');
    expect(shown).toContain('/never/seen nothing');
    expect(shown).not.toContain('Careful');
  });

  it('chooses nothing where the method needs counts that are not there', () => {
    const statistics = sampleStatistics(1);
    const { model } = statistics.sessions;
    const tensors = Object.entries(model?.tensors ?? {}).map(([id, { histogram: _, ...rest }]) => [id, rest]);
    const ranges = {
      version: 1,
      sessions: { model: { ...model, tensors: Object.fromEntries(tensors) } },
    } as typeof statistics;
    expect(textOf(renderStatisticsHtml(ranges, method))).toContain('−2.929 … 3.064 – – – – none');
    expect(textOf(renderStatisticsHtml(ranges, { id: 'min-max' }))).toContain('−2.929 … 3.064 −2.929 … 3.064');
  });

  it('warns of ranges from made-up inputs', () => {
    expect(textOf(renderStatisticsHtml(sampleStatistics(1), method, { madeUp: ['model'] }))).toContain('Careful');
  });

  it('says how to make the statistics again', () => {
    const command = 'optimum calibrate ./model --data \'a <b> & "c"\' -o statistics.json';
    const page = renderStatisticsHtml(sampleStatistics(1), method, { command });
    expect(textOf(page)).toContain(`The command: ${command}`);
    expect(page).not.toContain('<b>');
  });

  it('has the same markup whatever the texts in it say', () => {
    const statistics = sampleStatistics(1);
    const render = (make: (ordinal: number) => string): string =>
      skeletonOf(renderStatisticsHtml(withTexts(statistics, make), method));
    const wanted = render((ordinal) => `x${ordinal}`);
    fc.assert(
      fc.property(hostileTexts, (evil) => {
        expect(render((ordinal) => `${evil}#${ordinal}`)).toBe(wanted);
      }),
      { numRuns: 60 },
    );
  });
});
