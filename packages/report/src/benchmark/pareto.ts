import type { SearchTrial } from '@optimum/core';

/** Trials that no other beats in both latency and throughput, fastest first. */
export function paretoFront(trials: readonly SearchTrial[]): readonly SearchTrial[] {
  const byLatency = [...trials].sort(
    (a, b) => a.p50Ms.value - b.p50Ms.value || b.throughput.value - a.throughput.value,
  );
  let most = Number.NEGATIVE_INFINITY;
  return byLatency.filter(({ throughput: { value } }) => {
    if (value <= most) return false;
    most = value;
    return true;
  });
}

/** Place of the best trial among the trials: JSON does not keep that it is one of them. */
export function placeOf(trials: readonly SearchTrial[], best: SearchTrial): number {
  const wanted = JSON.stringify([best.configuration, best.batch]);
  return trials.findIndex(({ configuration, batch }) => JSON.stringify([configuration, batch]) === wanted);
}
