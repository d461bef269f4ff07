import { existsSync } from 'node:fs';
import { type BenchmarkReport, OptimumError, type ServingRecipe, servingRecipeOf } from '@optimum/core';
import { benchmark } from '@optimum/core/node';
import { interruptSignal } from './interrupt.ts';
import { progressRenderer } from './progress.ts';
import { programFolder } from './quantize.ts';
import { renderBenchmark } from './render-benchmark.ts';
import { typedCommand } from './typed-command.ts';
import { writeText } from './write-text.ts';

export interface BenchmarkFlags {
  readonly batch?: readonly number[];
  readonly sequence?: readonly number[];
  readonly threads?: number;
  readonly instances?: number;
  readonly coresPerInstance?: number;
  readonly rounds?: number;
  /** Seconds. */
  readonly duration?: number;
  readonly operators?: number;
  readonly pricePerHour?: number;
  readonly session: readonly string[];
  readonly environment: readonly string[];
  readonly search?: 'latency' | 'throughput';
  readonly output?: string;
  readonly force?: boolean;
  readonly seed?: number;
  readonly backend?: string;
  readonly html?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** `optimum benchmark`: flags in, a table out. */
export async function benchmarkCommand(models: readonly string[], flags: BenchmarkFlags): Promise<void> {
  checkOutput(flags);
  const { threads, instances, coresPerInstance, rounds, duration, operators, pricePerHour, search, seed } = flags;
  const progress = progressRenderer(flags.quiet === true);
  try {
    const report = await benchmark({
      ...{ models, threads, instances, coresPerInstance, rounds, operators, pricePerHour, search, seed, programFolder },
      batches: flags.batch,
      sequences: flags.sequence,
      durationMs: duration === undefined ? undefined : 1000 * duration,
      config: entriesOf('--session', flags.session),
      environment: entriesOf('--environment', flags.environment),
      backend: flags.backend,
      onProgress: (message) => progress.onEvent({ type: 'note', message }),
      signal: interruptSignal(),
    });
    progress.end();
    await print(report, flags);
  } finally {
    progress.end();
  }
}

/** Before anything is measured. @throws E_USAGE, E_OUTPUT_EXISTS */
function checkOutput({ output, search, force }: BenchmarkFlags): void {
  if (output === undefined) return;
  if (!search)
    throw new OptimumError('E_USAGE', '--output is for the settings that a search finds.', {
      hint: 'Add --search latency or --search throughput; --html and --json are for what was measured.',
    });
  if (existsSync(output) && !force)
    throw new OptimumError('E_OUTPUT_EXISTS', `${output} exists already.`, {
      hint: 'Choose another --output, or replace it with --force.',
      context: { path: output },
    });
}

/** @throws E_USAGE for what is no pair */
function entriesOf(option: string, pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)];
      throw new OptimumError('E_USAGE', `${option} ${pair}: expected a name, "=" and a value.`);
    }),
  );
}

async function print(report: BenchmarkReport, { output, html, json, quiet }: BenchmarkFlags): Promise<void> {
  const settings: ServingRecipe | undefined = servingRecipeOf(report);
  if (output && settings) writeText(output, `${JSON.stringify(settings, null, 2)}\n`);
  if (html) {
    const { renderBenchmarkHtml } = await import('@optimum/report');
    writeText(html, renderBenchmarkHtml(report, { command: typedCommand() }));
  }
  if (quiet) return;
  if (json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else process.stdout.write(renderBenchmark(report, settings));
}
