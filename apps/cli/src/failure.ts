import type { OptimumError } from '@optimum/core';
import pc from 'picocolors';

/** Recognised by its brand, so that this file loads nothing: errors of other packages have the same. */
const isOptimumError = (value: unknown): value is OptimumError =>
  typeof value === 'object' && value !== null && Symbol.for('optimum.OptimumError') in value;

/** Says what failed and what to do, on standard error (with --json as one document on standard output). Returns the exit code. */
export function reportFailure(error: unknown, json: boolean): number {
  const known = isOptimumError(error) ? error : undefined;
  const code = known?.code ?? 'E_INTERNAL';
  const message = error instanceof Error ? error.message : String(error);
  const hint =
    known?.hint ?? (known ? undefined : 'This is a bug in Optimum: please report it with the command that you ran.');
  if (json)
    process.stdout.write(
      `${JSON.stringify({ error: { code, message, ...(hint && { hint }), context: known?.context ?? {} } })}\n`,
    );
  process.stderr.write(`${pc.red('error')} ${code}: ${message}\n${hint ? `${pc.cyan('  hint')} ${hint}\n` : ''}`);
  if (!known && error instanceof Error && process.env.DEBUG) process.stderr.write(`${error.stack}\n`);
  return known?.exitCode ?? 70;
}
