import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { methodOf, OptimumError, parsePlan, parseStatistics, type QuantizeReport } from '@optimum/core';
import { prepare, type QuantizeOptions, quantize } from '@optimum/core/node';
import type { DataOptions } from '@optimum/data';
import { calibrationData, type DataFlags, dataOptions } from './calibration-data.ts';
import { interruptSignal } from './interrupt.ts';
import { progressRenderer } from './progress.ts';
import { readText } from './read-text.ts';
import { renderReport } from './render-report.ts';
import { typedCommand } from './typed-command.ts';
import { writeText } from './write-text.ts';

export interface QuantizeFlags extends DataFlags {
  readonly output?: string;
  readonly force?: boolean;
  readonly target?: string;
  readonly mode?: 'dynamic' | 'static' | 'auto';
  readonly recipe?: string;
  readonly backend?: string;
  readonly exclude: readonly string[];
  readonly plan?: string;
  readonly batch?: number;
  readonly sequence?: number;
  readonly threads?: number;
  readonly timingThreads?: number;
  readonly timing: boolean;
  readonly verify: boolean;
  readonly method?: string;
  readonly statistics?: string;
  readonly form?: 'qdq' | 'qoperator';
  readonly smoothQuant?: boolean;
  readonly biasCorrection?: boolean;
  readonly equalize?: boolean;
  readonly adaround?: boolean;
  readonly requireFaster?: boolean;
  readonly dryRun?: boolean;
  readonly html?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export const programFolder = dirname(dirname(fileURLToPath(import.meta.url)));

/** `optimum quantize`: flags in, report out. */
export async function quantizeCommand(model: string, flags: QuantizeFlags): Promise<void> {
  const signal = interruptSignal();
  const progress = progressRenderer(flags.quiet === true);
  try {
    const report = await quantize({
      ...(await optionsOf(model, flags, signal)),
      onEvent: progress.onEvent,
      signal,
    });
    progress.end();
    await print(report, flags);
  } catch (error) {
    progress.end();
    // A goal that was missed comes with the report of what was published; in JSON the failure carries it.
    if (isGoalMissed(error) && !flags.json) await print(error.context.report as QuantizeReport, flags);
    throw error;
  }
}

/** Samples on which results are compared; they are all in memory. */
const comparedSamples = 100;
/** Of a model that was calibrated: each is run through both, and the ranges were made for all of them. */
const comparedOfCalibrated = 16;

/** The samples to compare on. Their reader is loaded when there is data: most runs have none. */
async function comparedFeeds(options: DataOptions, quantization: QuantizeOptions): Promise<QuantizeOptions['data']> {
  const most = (await looksAtData(quantization)) ? comparedOfCalibrated : comparedSamples;
  const { readFeeds } = await import('@optimum/data');
  return readFeeds({ ...options, samples: Math.min(options.samples ?? most, most) });
}

/** Whether the data is run through the model before the proof: for ranges, or for an accuracy algorithm. */
async function looksAtData(quantization: QuantizeOptions): Promise<boolean> {
  const { smoothQuant, biasCorrection, adaround } = quantization.algorithms ?? {};
  if (smoothQuant || biasCorrection || adaround) return true;
  // Of a mode, a recipe and a backend's default only the recipe that comes of them tells.
  const { recipe } = await prepare(quantization);
  return recipe.mode !== 'dynamic';
}

async function optionsOf(model: string, flags: QuantizeFlags, signal: AbortSignal): Promise<QuantizeOptions> {
  const { output, force, target, mode, recipe, backend, exclude, threads, timingThreads, timing, verify } = flags;
  const { batch, sequence, requireFaster, dryRun, plan, data, method, statistics, form, samples } = flags;
  const { smoothQuant, biasCorrection, equalize: crossLayerEqualization, adaround } = flags;
  const options: QuantizeOptions = {
    ...{ input: model, output, force, target, mode, recipe, backend, exclude, threads, timingThreads, timing, verify },
    ...{ batch, sequence, requireFaster, dryRun, form, programFolder },
    ...(plan && { plan: parsePlan(readText(plan), plan) }),
    algorithms: { smoothQuant, biasCorrection, crossLayerEqualization, adaround },
    calibration: {
      ...(method && { method: methodOf(method) }),
      ...(statistics && { statistics: parseStatistics(readText(statistics), statistics) }),
      samples,
      data: calibrationData(model, flags, signal),
    },
  };
  if (!data || dryRun) return options;
  return { ...options, data: await comparedFeeds(dataOptions(model, data, flags, signal), options) };
}

const isGoalMissed = (error: unknown): error is OptimumError =>
  OptimumError.isInstance(error) && error.code === 'E_GOAL_NOT_MET';

async function print(report: QuantizeReport, { quiet, json, dryRun, html }: QuantizeFlags): Promise<void> {
  if (html) {
    const { renderHtml } = await import('@optimum/report');
    writeText(html, renderHtml(report, { command: typedCommand() }));
  }
  if (quiet) return;
  const [first] = report.sessions;
  // The plan alone is what --plan takes.
  const document = dryRun && first && report.sessions.length === 1 ? first.plan : report;
  process.stdout.write(json ? `${JSON.stringify(document, null, 2)}\n` : renderReport(report));
}
