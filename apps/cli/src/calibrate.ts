import { methodOf, OptimumError, type Statistics } from '@optimum/core';
import { calibrateFile, mergeStatisticsFiles } from '@optimum/core/node';
import { calibrationData, type DataFlags } from './calibration-data.ts';
import { interruptSignal } from './interrupt.ts';
import { progressRenderer } from './progress.ts';
import { programFolder } from './quantize.ts';
import { renderCalibration, renderMerged } from './render-calibration.ts';

export interface CalibrateFlags extends DataFlags {
  readonly output: string;
  readonly force?: boolean;
  readonly merge?: readonly string[];
  readonly method?: string;
  readonly target?: string;
  readonly recipe?: string;
  readonly backend?: string;
  readonly threads?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** `optimum calibrate`: flags in, a statistics file and what is in it out. */
export async function calibrateCommand(model: string | undefined, flags: CalibrateFlags): Promise<void> {
  if (flags.merge && model === undefined) return print(flags, merge(flags.merge, flags));
  if (flags.merge || model === undefined)
    throw new OptimumError('E_USAGE', 'Expected either a model to run or --merge with statistics files.');
  const signal = interruptSignal();
  const progress = progressRenderer(flags.quiet === true);
  const { output, force, method, target, recipe, backend, threads, samples } = flags;
  try {
    const report = await calibrateFile({
      ...{ input: model, output, force, target, recipe, backend, threads, samples, programFolder },
      method: method === undefined ? undefined : methodOf(method),
      data: calibrationData(model, flags, signal),
      onEvent: progress.onEvent,
      signal,
    });
    const sessions = report.sessions.map(({ statistics, ...session }) => session);
    progress.end();
    print(flags, { document: { ...report, sessions }, text: renderCalibration(report) });
  } finally {
    progress.end();
  }
}

interface Printed {
  readonly document: unknown;
  readonly text: string;
}

function merge(paths: readonly string[], { output, force }: CalibrateFlags): Printed {
  const statistics: Statistics = mergeStatisticsFiles(paths, output, { force });
  const sessions = Object.entries(statistics.sessions).map(([name, { samples, data }]) => ({ name, samples, data }));
  return { document: { schemaVersion: 1, output, sessions }, text: renderMerged(statistics, output) };
}

function print({ json, quiet }: CalibrateFlags, { document, text }: Printed): void {
  if (!quiet) process.stdout.write(json ? `${JSON.stringify(document, null, 2)}\n` : text);
}
