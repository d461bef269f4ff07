import type { BenchmarkPoint, BenchmarkReport, Estimate } from '@optimum/core';
import type { Series } from './series.ts';

/** A point with the series of its model. */
export interface Measured {
  readonly series: Series;
  readonly point: BenchmarkPoint;
}

/** All models at one shape, in the order of the models. */
export interface MeasuredShape {
  readonly name: string;
  readonly batch: number | undefined;
  readonly sequence: number | undefined;
  readonly measured: readonly Measured[];
}

/** Points by shape, as they came. A point of a model that the report does not list is left out of pictures. */
export function shapesOf({ points }: BenchmarkReport, series: readonly Series[]): readonly MeasuredShape[] {
  const shapes = new Map<string, { name: string; measured: Measured[] } & Pick<BenchmarkPoint, 'batch' | 'sequence'>>();
  for (const point of points) {
    const own = series.find(({ name }) => name === point.model);
    if (!own) continue;
    const name = shapeText(point);
    const shape = shapes.get(name) ?? { name, batch: point.batch, sequence: point.sequence, measured: [] };
    shape.measured.push({ series: own, point });
    shapes.set(name, shape);
  }
  return [...shapes.values()];
}

/** `batch 1, sequence 128`; the dims of the inputs where neither was chosen. */
export function shapeText({ batch, sequence, inputs }: BenchmarkPoint): string {
  const chosen = [batch !== undefined && `batch ${batch}`, sequence !== undefined && `sequence ${sequence}`];
  const texts = chosen.filter((text) => text !== false);
  if (texts.length > 0) return texts.join(', ');
  const dims = Object.values(inputs).map((input) => input.join('×') || 'scalar');
  return [...new Set(dims)].join(', ') || 'no input';
}

/** The interval where it is one: an estimate of a single run has none. */
export function intervalOf({
  value,
  low,
  high,
}: Estimate): { readonly low: number; readonly high: number } | undefined {
  return Number.isFinite(low) && Number.isFinite(high) && low <= value && value <= high ? { low, high } : undefined;
}

/** Value and ends of an estimate, for the range of a scale. */
export const extremesOf = (estimate: Estimate): number[] => {
  const interval = intervalOf(estimate);
  return interval ? [interval.low, estimate.value, interval.high] : [estimate.value];
};
