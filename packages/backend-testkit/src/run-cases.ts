import { OptimumError } from '@optimum/core';
import type { BackendCase, CaseResult } from './backend-case.ts';

/** Runs one case. Never throws. */
export async function runCase({ name, run, skip }: BackendCase): Promise<CaseResult> {
  if (skip && !skip.mustFail) return { name, status: 'skipped', reason: skip.reason };
  try {
    await run();
  } catch (error) {
    const isMissing = OptimumError.isInstance(error) && error.code === 'E_BACKEND_MISSING';
    if (skip && !isMissing) return { name, status: 'skipped', reason: skip.reason };
    return { name, status: 'failed', message: messageOf(error) };
  }
  if (!skip) return { name, status: 'passed' };
  const message = `${name} passes, though it must not (${skip.reason}): what the backend says of it is wrong.`;
  return { name, status: 'failed', message };
}

const messageOf = (error: unknown): string => {
  if (!OptimumError.isInstance(error)) return error instanceof Error ? error.message : String(error);
  return error.hint ? `${error.message} ${error.hint}` : error.message;
};

/** Runs cases one after another. @param onResult told of each as it ends */
export async function runCases(
  cases: readonly BackendCase[],
  onResult?: (result: CaseResult) => void,
): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const one of cases) {
    const result = await runCase(one);
    results.push(result);
    onResult?.(result);
  }
  return results;
}
