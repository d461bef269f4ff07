import { isBackend } from '@optimum/core';
import { checkBackend, checkTargets } from '@optimum/core/node';
import { type BackendCase, BackendCaseError } from './backend-case.ts';
import type { KitContext } from './kit-context.ts';

/** The module is what the contract and its own manifest say. Nothing else can be tried of one that is not. */
export function contractCases({ backend, installed }: KitContext): BackendCase[] {
  return [
    {
      name: 'contract',
      run: async () => {
        const problem = contractProblem({ backend, installed });
        if (problem) throw new BackendCaseError(problem);
      },
    },
  ];
}

export function contractProblem({ backend, installed }: Pick<KitContext, 'backend' | 'installed'>): string | undefined {
  const fail = (why: string): string => `Backend ${String(installed.id)} ${why}.`;
  if (!isBackend(backend)) return fail('is not what defineBackend returns');
  if (installed.problem) return fail(`cannot be used: ${installed.problem}`);
  const problem = checkBackend(backend, installed) ?? checkTargets(JSON.parse(JSON.stringify(backend.targets)));
  return problem && fail(problem);
}
