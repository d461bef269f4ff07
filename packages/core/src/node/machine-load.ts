import { cpus } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';

/** Busier than this, a machine is not quiet: what else runs shows in the figures. */
export const quietShare = 0.1;

/**
 * Part of all processors that is busy, 0 to 1, watched for a while. Not the load average: that still counts what ended
 * minutes ago. It ends early when it is aborted.
 */
export async function watchBusyShare(watchedMs: number, signal?: AbortSignal): Promise<number> {
  const before = processorTimes();
  await wait(watchedMs, undefined, signal && { signal }).catch(() => undefined);
  const after = processorTimes();
  return (after.busy - before.busy) / Math.max(1, after.all - before.all);
}

function processorTimes(): { readonly busy: number; readonly all: number } {
  let [busy, all] = [0, 0];
  for (const { times } of cpus()) {
    const sum = Object.values(times).reduce((total, ms) => total + ms, 0);
    all += sum;
    busy += sum - times.idle;
  }
  return { busy, all };
}
