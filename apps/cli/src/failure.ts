import type { OptimumError } from '@optimum/core';
import { colours } from './colours.ts';

/** Recognised by its brand, so that this file loads nothing: errors of other packages have the same. */
const isOptimumError = (value: unknown): value is OptimumError =>
  typeof value === 'object' && value !== null && Symbol.for('optimum.OptimumError') in value;

const unknownHint = 'This is a bug in Optimum: please report it with the command that you ran.';

/**
 * Says what failed and what to do, on standard error (with --json as one document on standard output). Returns the
 * exit code.
 */
export function reportFailure(error: unknown, json: boolean): number {
  const known = isOptimumError(error) ? error : undefined;
  const code = known?.code ?? 'E_INTERNAL';
  const message = error instanceof Error ? error.message : String(error);
  const hint = known ? known.hint : unknownHint;
  if (json) {
    // What was made all the same comes in the same document.
    const { report, ...context } = known?.context ?? {};
    const failure = { code, message, ...(hint && { hint }), context };
    process.stdout.write(`${JSON.stringify({ ...(report as object | undefined), error: failure }, null, 2)}\n`);
  }
  process.stderr.write(
    `${colours.red('error')} ${code}: ${message}\n${hint ? `${colours.cyan('  hint')} ${hint}\n` : ''}`,
  );
  if (error instanceof Error && process.env.DEBUG) process.stderr.write(`${error.stack}\n`);
  return known?.exitCode ?? 70;
}
