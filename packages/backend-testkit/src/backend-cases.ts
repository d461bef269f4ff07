import type { Backend } from '@optimum/core';
import { type BackendCase, BackendCaseError } from './backend-case.ts';
import { capabilityCases } from './capability-cases.ts';
import { claimCases } from './claim-cases.ts';
import { contractCases, contractProblem } from './contract-cases.ts';
import { hookCases } from './hook-cases.ts';
import { contextOf } from './kit-context.ts';
import type { KitOptions } from './kit-options.ts';
import { recipeCases } from './recipe-cases.ts';
import { targetCases } from './target-cases.ts';
import { withTimeLimit } from './time-limit.ts';

/**
 * Everything that a backend must do, as plain cases: by their names `contract`, `capabilities`, `target …`, `claim …`,
 * `pair rule of …`, `recipe …` and `hook …`. Nothing is run yet. A backend that breaks the contract has that one case.
 */
export function backendCases(backend: Backend, options: KitOptions = {}): BackendCase[] {
  const context = contextOf(backend, options);
  const contract = contractCases(context);
  if (contractProblem(context)) return contract;
  const cases = [contract, capabilityCases, targetCases, claimCases, recipeCases, hookCases].flatMap((make) =>
    typeof make === 'function' ? make(context) : make,
  );
  const limited = cases.map((one) => ({ ...one, run: () => withTimeLimit(one.name, one.run, context.timeLimitMs) }));
  return withExpectedFailures(limited, options.expectedFailures ?? {});
}

/** Declared failures become skips that must fail; what is declared of no case, or without a reason, is a failure itself. */
function withExpectedFailures(
  cases: readonly BackendCase[],
  expected: Readonly<Record<string, string>>,
): BackendCase[] {
  const names = cases.map(({ name }) => name);
  const wrong = Object.entries(expected).flatMap(([name, reason]) => {
    if (!names.includes(name)) return [`"expectedFailures" names "${name}", which is no case`];
    return reason.trim() === '' ? [`"${name}" is expected to fail without a reason`] : [];
  });
  const declared = cases.map((one) => {
    const reason = Object.hasOwn(expected, one.name) ? expected[one.name] : undefined;
    return reason === undefined ? one : { ...one, skip: { reason: `known to fail: ${reason}`, mustFail: true } };
  });
  if (wrong.length === 0) return declared;
  const run = async (): Promise<void> => {
    throw new BackendCaseError(`${wrong.join('; ')}.`);
  };
  return [...declared, { name: 'expected failures', run }];
}
