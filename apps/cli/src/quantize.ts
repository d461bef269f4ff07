import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OptimumError, parsePlan, type QuantizeReport } from '@optimum/core';
import { quantize } from '@optimum/core/node';
import { interruptSignal } from './interrupt.ts';
import { progressRenderer } from './progress.ts';
import { readData } from './read-data.ts';
import { readText } from './read-text.ts';
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
  readonly timingThreads?: number;
  readonly timing: boolean;
  readonly verify: boolean;
  readonly requireFaster?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export const programFolder = dirname(dirname(fileURLToPath(import.meta.url)));

/** `optimum quantize`: flags in, report out. */
export async function quantizeCommand(model: string, flags: QuantizeFlags): Promise<void> {
  const signal = interruptSignal();
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
      signal,
    });
    progress.end();
    print(report, flags);
  } catch (error) {
    progress.end();
    // A goal that was missed comes with the report of what was published; in JSON the failure carries it.
    if (isGoalMissed(error) && !json) print(error.context.report as QuantizeReport, flags);
    throw error;
  }
}

const isGoalMissed = (error: unknown): error is OptimumError =>
  OptimumError.isInstance(error) && error.code === 'E_GOAL_NOT_MET';

function print(report: QuantizeReport, { json, quiet, dryRun }: QuantizeFlags): void {
  if (quiet) return;
  const [first] = report.sessions;
  // The plan alone is what --plan takes.
  const document = dryRun && first && report.sessions.length === 1 ? first.plan : report;
  process.stdout.write(json ? `${JSON.stringify(document, null, 2)}\n` : renderReport(report));
}
