import { OptimumError } from '../foundation/index.ts';
import { checkPlan } from './check-plan.ts';
import type { Plan } from './plan.ts';

export const formatPlan = (plan: Plan): string => `${JSON.stringify(plan, null, 2)}\n`;

/**
 * A plan from the JSON that `--dry-run` prints, perhaps edited.
 * @throws E_CONFIG_SYNTAX when it is not JSON, E_CONFIG_SCHEMA with every problem and its place when it is no plan
 */
export function parsePlan(text: string, name = 'the plan'): Plan {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new OptimumError('E_CONFIG_SYNTAX', `${name} is not JSON: ${(error as Error).message}`, { cause: error });
  }
  const problems: string[] = [];
  checkPlan(json, problems);
  if (problems.length === 0) return json as Plan;
  throw new OptimumError('E_CONFIG_SCHEMA', `${name}: ${problems.slice(0, 20).join('; ')}.`, {
    context: { problems },
    hint: 'optimum quantize MODEL --dry-run --json prints a plan to start from.',
  });
}
