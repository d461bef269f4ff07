import { type CalibrationMethod, defaultMethod, methodOf, OptimumError, type Statistics } from '@optimum/core';
import { calibrateFile, mergeStatisticsFiles } from '@optimum/core/node';
import { calibrationData, type DataFlags } from './calibration-data.ts';
import { interruptSignal } from './interrupt.ts';
import { progressRenderer } from './progress.ts';
import { programFolder } from './quantize.ts';
import { renderCalibration, renderMerged } from './render-calibration.ts';
import { typedCommand } from './typed-command.ts';
import { writeText } from './write-text.ts';

export interface CalibrateFlags extends DataFlags {
  readonly output: string;
  readonly force?: boolean;
  readonly merge?: readonly string[];
  readonly method?: string;
  readonly target?: string;
  readonly recipe?: string;
  readonly backend?: string;
  readonly threads?: number;
  readonly html?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** `optimum calibrate`: flags in, a statistics file and what is in it out. */
export async function calibrateCommand(model: string | undefined, flags: CalibrateFlags): Promise<void> {
  if ((model === undefined) === (flags.merge === undefined))
    throw new OptimumError('E_USAGE', 'Expected either a model to run or --merge with statistics files.');
  const method = flags.method === undefined ? defaultMethod : methodOf(flags.method);
  const result = model === undefined ? merge(flags) : await observe(model, method, flags);
  if (flags.html) await writePage(flags.html, method, result);
  if (flags.quiet) return;
  process.stdout.write(flags.json ? `${JSON.stringify(result.document, null, 2)}\n` : result.text);
}

interface Result {
  readonly statistics: Statistics;
  /** Sessions whose inputs were made up. */
  readonly madeUp: readonly string[];
  /** For `--json`. */
  readonly document: unknown;
  /** For people. */
  readonly text: string;
}

async function observe(model: string, method: CalibrationMethod, flags: CalibrateFlags): Promise<Result> {
  const signal = interruptSignal();
  const progress = progressRenderer(flags.quiet === true);
  const { output, force, target, recipe, backend, threads, samples } = flags;
  try {
    const report = await calibrateFile({
      ...{ input: model, output, force, target, recipe, backend, threads, samples, programFolder, method },
      data: calibrationData(model, flags, signal),
      onEvent: progress.onEvent,
      signal,
    });
    return {
      statistics: {
        version: 1,
        sessions: Object.fromEntries(report.sessions.map((one) => [one.name, one.statistics])),
      },
      madeUp: report.sessions.filter(({ madeUp }) => madeUp).map(({ name }) => name),
      document: { ...report, sessions: report.sessions.map(({ statistics, ...session }) => session) },
      text: renderCalibration(report),
    };
  } finally {
    progress.end();
  }
}

function merge({ merge: paths = [], output, force }: CalibrateFlags): Result {
  const statistics = mergeStatisticsFiles(paths, output, { force });
  const sessions = Object.entries(statistics.sessions).map(([name, { samples, data }]) => ({ name, samples, data }));
  const document = { schemaVersion: 1, output, sessions };
  return { statistics, madeUp: [], document, text: renderMerged(statistics, output) };
}

async function writePage(path: string, method: CalibrationMethod, { statistics, madeUp }: Result): Promise<void> {
  const { renderStatisticsHtml } = await import('@optimum/report');
  writeText(path, renderStatisticsHtml(statistics, method, { madeUp, command: typedCommand() }));
}
