import { describe, expect, it } from 'vitest';
import { observationOf } from '../../core/src/observe/test-observation.ts';
import { histogramSvg } from './histogram-svg.ts';

const pathOf = (svg: unknown, name: string): string =>
  new RegExp(`class="${name}" d="([^"]*)"`).exec(String(svg))?.[1] ?? '';
const barsOf = (svg: unknown, name: string): number => pathOf(svg, name).split('M').length - 1;

describe('histogramSvg', () => {
  // 50 bars over [0, 100]: two to a bar.
  const even = observationOf(Array.from({ length: 101 }, (_, index) => index));

  it('draws all bars full where the range holds all', () => {
    const svg = histogramSvg(even, { min: 0, max: 100 });
    expect([barsOf(svg, 'kept'), barsOf(svg, 'cut')]).toEqual([50, 0]);
    expect(pathOf(svg, 'range')).toBe('M0.5 0V42H199.5V0');
  });

  it('draws bars outside the range hollow and sets the bracket around those inside', () => {
    const svg = histogramSvg(even, { min: 0, max: 49 });
    expect([barsOf(svg, 'kept'), barsOf(svg, 'cut')]).toEqual([25, 25]);
    expect(pathOf(svg, 'range')).toBe('M0.5 0V42H98V0');
  });

  it('marks zero, and only where it is in the picture', () => {
    expect(pathOf(histogramSvg(observationOf([-1, 3]), undefined), 'zero')).toBe('M50 36v3');
    expect(pathOf(histogramSvg(observationOf([2, 3]), undefined), 'zero')).toBe('');
  });

  it('shows a single value beside very many', () => {
    const svg = histogramSvg(observationOf([...new Array(50_000).fill(0.5), 1, 0]), undefined);
    expect(pathOf(svg, 'kept').match(/v-\d+/g)).toEqual(['v-2', 'v-36', 'v-2']);
  });

  it('draws a tensor of one number in the middle', () => {
    const svg = histogramSvg(observationOf([7, 7, 7]), { min: 7, max: 7 });
    expect(barsOf(svg, 'kept')).toBe(1);
    expect(String(svg)).not.toMatch(/NaN|Infinity/);
  });

  it('draws nothing without values or counts', () => {
    const { histogram: _, ...rangeOnly } = even;
    expect(histogramSvg(observationOf([Number.NaN]), undefined)).toBeUndefined();
    expect(histogramSvg(rangeOnly, { min: 0, max: 1 })).toBeUndefined();
  });

  it('says in words what it shows', () => {
    expect(String(histogramSvg(even, { min: 0, max: 50 }))).toContain(
      'aria-label="Values from 0 to 100; the range 0 to 50 is 50.0 % of that width"',
    );
  });
});
