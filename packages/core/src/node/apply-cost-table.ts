import { OptimumError } from '../foundation/index.ts';
import type { Model } from '../ir/index.ts';
import { groupFloat } from '../pipeline/index.ts';
import type { Plan } from '../plan/index.ts';
import { costTableKey, costTableSubject, readCostTable } from './cost-table-file.ts';
import type { SessionContext } from './session-context.ts';

/** A plan, and what is to be said of how it came about. */
export interface NotedPlan {
  readonly plan: Plan;
  readonly notes: readonly string[];
}

/** Weights up to this size are small enough for the cost of quantizing activations to matter. */
const smallWeight = 128 * 128;

/**
 * The plan by the times that were measured on this machine, where the recipe quantizes for speed and the model is for this
 * machine. Nothing is measured here: that takes seconds, and is `optimum probe`. A plan that the user wrote is followed.
 */
export async function applyCostTable(plan: Plan, model: Model, context: SessionContext): Promise<NotedPlan> {
  const { options, preparation } = context;
  const { backend, recipe, facts } = preparation;
  const isForSpeed = recipe.onlyIfFaster && isForThisMachine(context) && !options.plan;
  const subject = isForSpeed ? await costTableSubject(backend.runtime, facts, options.projectFolder) : undefined;
  if (!subject) return { plan, notes: [] };
  const { table, problem, path } = readCostTable(subject);
  if (!table) {
    const isTimed = options.verify !== false && options.timing !== false && !options.dryRun;
    return { plan, notes: untabled(plan, problem && `${problem} (${path})`, isTimed) };
  }
  const { chooseByTable } = await import('./choose-by-table.ts');
  const chosen = chooseByTable(plan, model, table, costTableKey(subject), options);
  return { plan: chosen, notes: [] };
}

/** A target that is right everywhere, when the user names it, is asked for because of other machines. */
export const isForThisMachine = ({ options, preparation: { target } }: SessionContext): boolean =>
  target.isThisMachine && !(target.everywhere && options.target !== undefined);

/** @throws E_NOTHING_TO_QUANTIZE when measured times have left nothing to quantize */
export function requireSomething(plan: Plan): void {
  const isEmpty = plan.entries.every(({ decision }) => decision.action === 'float');
  if (isEmpty && plan.costTable !== undefined) throw nothingFaster(plan);
}

/** @param isTimed the result will be timed, which says more than a table could */
function untabled(plan: Plan, problem: string | undefined, isTimed: boolean): string[] {
  if (problem) return [`the table of measured times was not used: ${problem}; run optimum probe`];
  if (isTimed) return [];
  const isSmall = plan.entries.some(
    ({ decision, weight = [] }) =>
      decision.action === 'matmul' && weight.reduce((product, dim) => product * dim, 1) <= smallWeight,
  );
  return isSmall ? ['products as small as these may get no faster: optimum probe measures it once for this CPU'] : [];
}

function nothingFaster(plan: Plan): OptimumError {
  const slow = groupFloat(plan).find(({ reason }) => reason === 'no-faster');
  return new OptimumError(
    'E_NOTHING_TO_QUANTIZE',
    `Nothing in this model gets faster on this CPU, by what optimum probe measured${slow ? `: ${slow.op} ${slow.text}` : ''}.`,
    {
      context: { costTable: plan.costTable },
      hint: 'Leave it as it is, or choose a recipe that does not ask for speed (--recipe size).',
    },
  );
}
