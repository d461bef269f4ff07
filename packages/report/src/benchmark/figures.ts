import type { Estimate } from '@optimum/core';
import { formatNumber } from '../format.ts';
import { intervalOf } from './measured-shapes.ts';

/** `72.1 ms (71.8 to 72.6)`; the value alone where there is no interval. */
export function estimateText(estimate: Estimate, unit = ''): string {
  const interval = intervalOf(estimate);
  const value = `${formatNumber(estimate.value)}${unit && ` ${unit}`}`;
  return interval ? `${value} (${formatNumber(interval.low)} to ${formatNumber(interval.high)})` : value;
}

/** `3.12× (3.05 to 3.19)`. */
export function ratioText(estimate: Estimate): string {
  const interval = intervalOf(estimate);
  const value = `${ratio(estimate.value)}×`;
  return interval ? `${value} (${ratio(interval.low)} to ${ratio(interval.high)})` : value;
}

/** Two decimals: the third is never known. */
export const ratio = (value: number): string => (Number.isFinite(value) ? value.toFixed(2) : formatNumber(value));

export const listed = (items: readonly string[]): string => items.join(', ');
