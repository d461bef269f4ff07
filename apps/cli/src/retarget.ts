import { type RetargetOptions, retarget } from '@optimum/core/node';
import { type DataFlags, dataOptions } from './calibration-data.ts';
import { interruptSignal } from './interrupt.ts';
import { progressRenderer } from './progress.ts';
import { programFolder } from './quantize.ts';
import { renderRetarget } from './render-retarget.ts';

export interface RetargetFlags extends DataFlags {
  readonly output?: string;
  readonly force?: boolean;
  readonly target?: string;
  readonly backend?: string;
  readonly timingThreads?: number;
  readonly timing: boolean;
  readonly verify: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Samples on which results are compared; they are all in memory. */
const comparedSamples = 100;

/** `optimum retarget`: flags in, report out. */
export async function retargetCommand(model: string, flags: RetargetFlags): Promise<void> {
  const signal = interruptSignal();
  const progress = progressRenderer(flags.quiet === true);
  try {
    const report = await retarget({ ...(await optionsOf(model, flags, signal)), onEvent: progress.onEvent, signal });
    progress.end();
    if (!flags.quiet)
      process.stdout.write(flags.json ? `${JSON.stringify(report, null, 2)}\n` : renderRetarget(report));
  } catch (error) {
    progress.end();
    throw error;
  }
}

async function optionsOf(model: string, flags: RetargetFlags, signal: AbortSignal): Promise<RetargetOptions> {
  const { output, force, target, backend, timingThreads, timing, verify, dryRun, data, samples } = flags;
  const compared = data && !dryRun ? { ...dataOptions(model, data, flags, signal) } : undefined;
  return {
    ...{ input: model, output, force, target, backend, timingThreads, timing, verify, dryRun, programFolder },
    ...(compared && {
      data: await (await import('@optimum/data')).readFeeds({ ...compared, samples: samples ?? comparedSamples }),
    }),
  };
}
