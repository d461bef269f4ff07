import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OptimumError, parsePlan, type QuantizeReport } from '@optimum/core';
import { discardStaged, quantize } from '@optimum/core/node';
import { progressRenderer } from './progress.ts';
import { readData } from './read-data.ts';
import { renderReport } from './render-report.ts';

export interface QuantizeFlags {
  readonly output?: string;
  readonly force?: boolean;
  readonly target?: string;
  readonly recipe?: string;
  readonly backend?: string;
  readonly exclude: readonly string[];
  readonly plan?: string;
  readonly data?: string;
  readonly threads?: number;
  readonly verify: boolean;
  readonly requireFaster?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export const programFolder = dirname(dirname(fileURLToPath(import.meta.url)));

/** `optimum quantize`: flags in, report out. */
export async function quantizeCommand(model: string, flags: QuantizeFlags): Promise<void> {
  const progress = progressRenderer(flags.quiet === true);
  const { plan, data, json, quiet, ...rest } = flags;
  try {
    const report = await quantize({
      ...rest,
      input: model,
      programFolder,
      ...(plan && { plan: parsePlan(readText(plan), plan) }),
      ...(data && { data: await readData(data, model) }),
      onEvent: progress.onEvent,
      signal: interruptSignal(),
    });
    progress.end();
    print(report, flags);
  } catch (error) {
    progress.end();
    // A goal that was missed comes with the report of what was published all the same.
    if (OptimumError.isInstance(error) && error.code === 'E_GOAL_NOT_MET')
      print(error.context.report as QuantizeReport, flags);
    throw error;
  }
}

function print(report: QuantizeReport, { json, quiet, dryRun }: QuantizeFlags): void {
  if (quiet) return;
  if (json)
    process.stdout.write(
      `${JSON.stringify(dryRun && report.sessions.length === 1 ? report.sessions[0]?.plan : report, null, 2)}\n`,
    );
  else process.stdout.write(renderReport(report));
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new OptimumError('E_IO', `${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

/** Aborts at the first Ctrl-C; at the second one the process ends at once, with nothing staged left behind. */
function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.on(signal, () => {
      if (!controller.signal.aborted) return controller.abort();
      discardStaged();
      process.exit(code);
    });
  }
  return controller.signal;
}
