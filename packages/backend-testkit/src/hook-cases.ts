import { isDeepStrictEqual } from 'node:util';
import { annotate, type Backend, capabilitiesOf, type Model, parseModel, type Target, walkNodes } from '@optimum/core';
import { guardHooks } from '@optimum/core/node';
import { type BackendCase, BackendCaseError } from './backend-case.ts';
import type { KitContext } from './kit-context.ts';
import { printedBy } from './printed-by.ts';
import { recipeModelText } from './recipe-model.ts';

/** Models that a hook must survive: an ordinary one, and those with nothing in them that it looks for. */
const models: Readonly<Record<string, string>> = {
  'a small model': recipeModelText,
  'a model without weights': '<ir_version: 8, opset_import: ["": 17]> g (float[2] x) => (float[2] y) { y = Relu (x) }',
  'a model of unknown operators':
    '<ir_version: 8, opset_import: ["": 17, "acme": 1]> g (x) => (y) { a, b = acme.Split (x)  y = acme.Join (b, , a) }',
};

/** Characters that a hook may print: none of them is its result, and `optimum` prints its own on standard output. */
const mostPrinted = 1000;
const mostDiagnostics = 1000;

/**
 * `adjustPlan`, `validate` and `estimate`: they end, throw nothing, return what the contract says, change no argument,
 * say the same twice, and print next to nothing.
 */
export function hookCases({ backend, installed, timeLimitMs }: KitContext): BackendCase[] {
  const guarded = guardHooks(backend, installed, Math.min(timeLimitMs, 10_000));
  return (['adjustPlan', 'validate', 'estimate'] as const)
    .filter((hook) => backend[hook] !== undefined)
    .map((hook) => ({
      name: `hook ${hook}`,
      run: async () => {
        for (const spec of backend.targets)
          for (const [what, text] of Object.entries(models)) {
            const target = { ...spec, backend: backend.id, isThisMachine: false };
            const problem = problemOf(() => call(hook, backend, guarded, parseModel(text), target));
            if (problem) throw new BackendCaseError(`${hook} ${problem} (for ${spec.id}, given ${what}).`);
          }
      },
    }));
}

function problemOf(run: () => unknown): string | undefined {
  const first = printedBy(run);
  if (first.characters > mostPrinted)
    return `prints ${first.characters} characters; the result of a command stands on standard output`;
  if (Array.isArray(first.result) && first.result.length > mostDiagnostics)
    return `returns ${first.result.length} findings; say what is wrong once`;
  return isDeepStrictEqual(first.result, printedBy(run).result) ? undefined : 'says something else when asked again';
}

function call(
  hook: 'adjustPlan' | 'validate' | 'estimate',
  backend: Backend,
  { adjustPlan, validate, estimate }: Backend,
  model: Model,
  target: Target,
): unknown {
  if (hook === 'validate') return validate?.(model, target);
  if (hook === 'estimate') return [...walkNodes(model)].map((node) => estimate?.(node, target));
  const plan = planOf(backend, model, target);
  return plan && adjustPlan?.(plan, model, target);
}

/** The plan of the first recipe; `undefined` where there is nothing to plan. */
function planOf(backend: Backend, model: Model, target: Target) {
  const [recipe] = backend.recipes;
  try {
    const options = { capabilities: capabilitiesOf(backend), features: target.features, target: target.id };
    return recipe && annotate(model, { ...options, recipe: { ...recipe, onlyIfFaster: false } });
  } catch {
    return undefined;
  }
}
