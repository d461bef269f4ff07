import { probeCostTable } from '@optimum/core/node';
import { interruptSignal } from './interrupt.ts';
import { progressRenderer } from './progress.ts';
import { programFolder } from './quantize.ts';
import { renderProbe } from './render-probe.ts';

export interface ProbeFlags {
  readonly force?: boolean;
  /** Seconds. */
  readonly budget?: number;
  readonly backend?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** `optimum probe`: flags in, the table of measured kernels out. */
export async function probeCommand({ force, budget, backend, json, quiet }: ProbeFlags): Promise<void> {
  const signal = interruptSignal();
  const progress = progressRenderer(quiet === true);
  try {
    const result = await probeCostTable({
      ...{ force, backend, programFolder, signal },
      budgetMs: budget === undefined ? undefined : 1000 * budget,
      onProgress: (done, total, kernel) =>
        progress.onEvent({ type: 'note', message: `measuring ${done} of ${total}: ${kernel}` }),
    });
    progress.end();
    if (!quiet) process.stdout.write(json ? `${JSON.stringify(result, null, 2)}\n` : renderProbe(result));
  } finally {
    progress.end();
  }
}
