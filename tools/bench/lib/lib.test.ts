import { describe, expect, it } from 'vitest';
// @ts-expect-error plain JavaScript, so that it runs without a build of its own
import { replaceBlock } from './documents.mjs';
// @ts-expect-error plain JavaScript
import { interleave } from './interleave.mjs';
// @ts-expect-error plain JavaScript
import { renderMarkdown, renderText } from './render.mjs';
// @ts-expect-error plain JavaScript
import { formatSpread, median, ratiosOf, spearman, spreadOf } from './statistics.mjs';

describe('statistics', () => {
  it('take the middle, and the ratios round by round', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(ratiosOf([2, 6, 4], [1, 2, 4])).toEqual({ median: 2, min: 1, max: 3, count: 3 });
    expect(formatSpread(spreadOf([1, 2, 3]), 1, '×')).toBe('2.0× [1.0–3.0]');
  });

  it("compute Spearman's correlation with ties", () => {
    expect(spearman([1, 2, 3, 4], [10, 20, 30, 40])).toBeCloseTo(1, 12);
    expect(spearman([1, 2, 3, 4], [4, 3, 2, 1])).toBeCloseTo(-1, 12);
    // Ranks 0, 1.5, 1.5, 3 against 0, 1, 2, 3: 4.5 / √(4.5 · 5).
    expect(spearman([1, 2, 2, 3], [1, 2, 3, 4])).toBeCloseTo(4.5 / Math.sqrt(22.5), 12);
  });
});

describe('interleave', () => {
  it('takes turns, and does not count the first round', async () => {
    const order: string[] = [];
    const contestant = (name: string) => async () => order.push(name);
    const samples = await interleave({ a: contestant('a'), b: contestant('b') }, 2);
    expect(order.join('')).toBe('ababab');
    expect(samples).toEqual({ a: [3, 5], b: [4, 6] });
  });
});

describe('reports', () => {
  const result = { tables: [{ title: 'T', columns: ['a', 'b'], rows: [['x|y', '1']] }], notes: ['n'], failures: ['f'] };

  it('are Markdown or text', () => {
    expect(renderMarkdown(result, 'H')).toBe(
      'H\n\nT:\n\n| a | b |\n| --- | --- |\n| x\\|y | 1 |\n\n- n\n\nNot reached:\n\n- f',
    );
    expect(renderText(result, 'H')).toContain('T\na    b\nx|y  1');
  });

  it('go between the markers of their class, and nowhere else', () => {
    const text = 'A\n<!-- bench:n:avx2 -->\nold\n<!-- /bench:n:avx2 -->\nB';
    expect(replaceBlock(text, 'n', 'avx2', 'new')).toBe(text.replace('old', 'new'));
    expect(() => replaceBlock(text, 'n', 'avx512', 'new')).toThrow(/no place/);
  });
});
