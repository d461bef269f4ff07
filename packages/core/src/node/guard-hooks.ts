import type { Backend, Target } from '../backend/index.ts';
import { type Diagnostic, OptimumError } from '../foundation/index.ts';
import type { Model, Node } from '../ir/index.ts';
import { type Plan, parsePlan } from '../plan/index.ts';
import { containCall } from './contain-backend.ts';
import type { InstalledBackend } from './discover-backends.ts';
import { incompatible } from './incompatible-backend.ts';

/**
 * The same backend with its functions made safe to call: each has a time limit, and one that throws, changes its
 * arguments or returns what it must not is E_BACKEND_INCOMPATIBLE.
 */
export function guardHooks(backend: Backend, installed: InstalledBackend, timeLimitMs: number): Backend {
  const call = <T>(hook: string, run: () => T, check: (result: T) => string | undefined): T => {
    const fail = (why: string, cause?: unknown) => incompatible(installed, `${why} in ${hook}`, cause);
    let result: T;
    try {
      result = containCall(installed.id, timeLimitMs, run);
    } catch (error) {
      throw fail(`fails (${error instanceof Error ? error.message : String(error)})`, error);
    }
    const problem = check(result);
    if (problem) throw fail(problem);
    return result;
  };
  const { adjustPlan, validate, estimate } = backend;
  const guarded: Partial<Backend> = {
    ...(adjustPlan && {
      adjustPlan: (plan: Plan, model: Model, target: Target) => {
        const untouched = watchArguments(plan, model);
        const run = () => adjustPlan.call(backend, plan, model, target);
        return call('adjustPlan', run, (result) => untouched() ?? checkPlanOf(plan, result));
      },
    }),
    ...(validate && {
      validate: (model: Model, target: Target) => {
        const untouched = watchArguments(undefined, model);
        const run = () => validate.call(backend, model, target);
        return call('validate', run, (result) => untouched() ?? checkDiagnostics(result));
      },
    }),
    ...(estimate && {
      estimate: (node: Node, target: Target) =>
        call('estimate', () => estimate.call(backend, node, target), checkEstimate),
    }),
  };
  return Object.create(backend, Object.getOwnPropertyDescriptors(guarded)) as Backend;
}

/** What was changed that must not be, when it is asked for. */
function watchArguments(plan: Plan | undefined, model: Model): () => string | undefined {
  const [text, revision] = [JSON.stringify(plan), model.graph.revision];
  return () => {
    if (model.graph.revision !== revision) return 'changes the model';
    return JSON.stringify(plan) === text ? undefined : 'changes the plan that it was given, and does not return one';
  };
}

function checkPlanOf(given: Plan, result: unknown): string | undefined {
  try {
    const plan = parsePlan(JSON.stringify(result) ?? 'null', 'the plan');
    const ids = ({ entries }: Plan): string => entries.map(({ id }) => id).join('\n');
    if (ids(plan) !== ids(given)) return 'returns a plan of other nodes';
    return undefined;
  } catch (error) {
    const why = OptimumError.isInstance(error) ? error.message : String(error);
    return `returns no plan (${why.replace(/\.$/, '')})`;
  }
}

const severities: readonly unknown[] = ['error', 'warning', 'note'] satisfies Diagnostic['severity'][];

function checkDiagnostics(result: unknown): string | undefined {
  const isFinding = (one: unknown): boolean => {
    const { severity, rule, message } = (one ?? {}) as Partial<Record<string, unknown>>;
    return severities.includes(severity) && typeof rule === 'string' && typeof message === 'string';
  };
  return Array.isArray(result) && result.every(isFinding) ? undefined : 'returns no list of diagnostics';
}

function checkEstimate(result: unknown): string | undefined {
  if (result === undefined) return undefined;
  const { flops, bytes } = (result ?? {}) as Partial<Record<string, unknown>>;
  const isAmount = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value) && value >= 0;
  return isAmount(flops) && isAmount(bytes) ? undefined : 'returns no flops and bytes';
}
