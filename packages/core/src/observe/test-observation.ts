import { toUnits } from './exact-sum.ts';
import { binOf } from './histogram.ts';
import { sentinelMagnitude, type TensorObservation } from './observation.ts';

/** Observes runs of values with plain loops: what the process beside the runtime does fast. */
export function observationOf(...runs: readonly (readonly number[])[]): TensorObservation {
  const excluded = { nan: 0, infinite: 0, sentinel: 0 };
  const counts = new Map<number, number>();
  const extremes: [number, number][] = [];
  let elements = 0;
  for (const run of runs) {
    const kept = run.map(Math.fround).filter((value) => isCounted(value, excluded));
    for (const value of kept) counts.set(binOf(value), (counts.get(binOf(value)) ?? 0) + 1);
    elements += kept.length;
    if (kept.length > 0) extremes.push([kept.reduce((a, b) => Math.min(a, b)), kept.reduce((a, b) => Math.max(a, b))]);
  }
  const bins = [...counts.keys()].sort((a, b) => a - b);
  return {
    runs: extremes.length,
    elements,
    min: extremes.length > 0 ? Math.min(...extremes.map(([min]) => min)) : 0,
    max: extremes.length > 0 ? Math.max(...extremes.map(([, max]) => max)) : 0,
    minSum: String(extremes.reduce((sum, [min]) => sum + toUnits(min), 0n)),
    maxSum: String(extremes.reduce((sum, [, max]) => sum + toUnits(max), 0n)),
    excluded,
    histogram: { bins, counts: bins.map((bin) => counts.get(bin) as number) },
  };
}

function isCounted(value: number, excluded: { nan: number; infinite: number; sentinel: number }): boolean {
  if (Number.isNaN(value)) excluded.nan++;
  else if (!Number.isFinite(value)) excluded.infinite++;
  else if (Math.abs(value) >= sentinelMagnitude) excluded.sentinel++;
  else return true;
  return false;
}
