import type { Backend } from '@optimum/core';
import { BackendCaseError, type CaseResult } from './backend-case.ts';
import { backendCases } from './backend-cases.ts';
import type { KitOptions } from './kit-options.ts';
import { runCase } from './run-cases.ts';
import { summary } from './summary.ts';

/** What is used of a test framework: `it` of vitest, jest, mocha and node:test fits. */
export interface TestFramework {
  readonly it: (name: string, run: () => Promise<void>, timeoutMs?: number) => unknown;
  readonly describe?: ((name: string, register: () => void) => unknown) | undefined;
}

/** Beside the time limit of a case, so that it is the kit that says what did not end. */
const graceMs = 5000;

/** Registers every case of a backend as a test, and a last one that prints how many claims were executed. */
export function testBackend(backend: Backend, { it, describe, ...options }: TestFramework & KitOptions): void {
  const register = (): void => {
    const results: CaseResult[] = [];
    const timeoutMs = (options.timeLimitMs ?? 60_000) + graceMs;
    for (const one of backendCases(backend, options)) {
      const label = one.skip ? `${one.name} (skipped: ${one.skip.reason})` : one.name;
      const run = async (): Promise<void> => {
        const result = await runCase(one);
        results.push(result);
        if (result.status === 'failed') throw new BackendCaseError(result.message);
      };
      it(label, run, timeoutMs);
    }
    it('says how many claims were executed', async () => console.info(`backend ${backend.id}: ${summary(results)}`));
  };
  if (describe) describe(`backend ${String(backend.id)}`, register);
  else register();
}
