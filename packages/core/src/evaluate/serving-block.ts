/** Runs of one instance in a block, by the clock that all instances share. */
export interface InstanceTimes {
  /** When the last run had ended, in milliseconds. */
  readonly endMs: number;
  /** In order of time, one run right after the other. */
  readonly latenciesMs: readonly number[];
}

/** What a group of instances did in one block. */
export interface ServingBlock {
  readonly latenciesMs: readonly number[];
  readonly samplesPerSecond: number;
  readonly joulesPerRun?: number | undefined;
}

/** What a group of fresh processes did in one round. */
export interface ServingRound {
  readonly blocks: readonly ServingBlock[];
  readonly loadMs: number;
  readonly residentBytes: number;
}

/**
 * The part of a block in which every instance was at work: before and after it the others had the machine to
 * themselves. A run counts there with the part of it that lies inside; latencies are of the runs that lie wholly inside,
 * or of all where none does.
 * @param samplesPerRun rows of the batch
 */
export function blockOf(instances: readonly InstanceTimes[], samplesPerRun: number): ServingBlock {
  const runs = instances.map(runsOf);
  const start = Math.max(...runs.map((one) => one[0]?.startMs ?? 0));
  const end = Math.min(...instances.map(({ endMs }) => endMs));
  const all = runs.flat();
  const latenciesMs = all.map(({ startMs, endMs }) => endMs - startMs);
  if (instances.length === 1 || end <= start) return sequentialBlock(instances, samplesPerRun);
  const inside = all.map((run) => Math.max(0, Math.min(end, run.endMs) - Math.max(start, run.startMs)));
  const done = inside.reduce((sum, ms, index) => sum + ms / (latenciesMs[index] as number), 0);
  const whole = latenciesMs.filter((ms, index) => (inside[index] as number) > ms - roundingMs);
  return {
    latenciesMs: whole.length > 0 ? whole : latenciesMs,
    samplesPerSecond: (1000 * done * samplesPerRun) / (end - start),
  };
}

/** Sums of many latencies are not exact. */
const roundingMs = 1e-6;

/** Each instance as if it were alone in time. */
function sequentialBlock(instances: readonly InstanceTimes[], samplesPerRun: number): ServingBlock {
  const rates = instances.map(({ latenciesMs }) => (1000 * latenciesMs.length) / sumOf(latenciesMs));
  return {
    latenciesMs: instances.flatMap(({ latenciesMs }) => latenciesMs),
    samplesPerSecond: sumOf(rates) * samplesPerRun,
  };
}

function runsOf({ endMs, latenciesMs }: InstanceTimes): { readonly startMs: number; readonly endMs: number }[] {
  let startMs = endMs - sumOf(latenciesMs);
  return latenciesMs.map((ms) => {
    const run = { startMs, endMs: startMs + ms };
    startMs = run.endMs;
    return run;
  });
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
