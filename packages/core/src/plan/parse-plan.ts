import { nearestNames, OptimumError } from '../foundation/index.ts';
import type { Plan, PlanEntry } from './plan.ts';

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

type Fields = Record<string, unknown>;
const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function checkPlan(json: unknown, problems: string[]): void {
  if (!isObject(json)) {
    problems.push('it is not an object');
    return;
  }
  checkKeys(json, ['version', 'target', 'features', 'recipe', 'valueInfo', 'entries'], '', problems);
  if (json.version !== 1) problems.push(`version: expected 1, got ${JSON.stringify(json.version)}`);
  oneOf(json.valueInfo, ['keep', 'write', 'drop'], 'valueInfo', problems);
  for (const key of ['target', 'recipe']) if (typeof json[key] !== 'string') problems.push(`${key}: expected text`);
  if (!Array.isArray(json.features)) problems.push('features: expected a list');
  if (!Array.isArray(json.entries)) problems.push('entries: expected a list');
  else for (const [index, entry] of json.entries.entries()) checkEntry(entry, `entries[${index}]`, problems);
}

function checkEntry(entry: unknown, at: string, problems: string[]): void {
  if (!isObject(entry)) {
    problems.push(`${at}: expected an object`);
    return;
  }
  checkKeys(entry, ['id', 'op', 'weight', 'decision'], at, problems);
  if (typeof entry.id !== 'string') problems.push(`${at}.id: expected text`);
  if (typeof entry.op !== 'string') problems.push(`${at}.op: expected text`);
  if (!isObject(entry.decision)) problems.push(`${at}.decision: expected an object`);
  else checkDecision(entry.decision, `${at}.decision`, problems);
}

function checkDecision(decision: Fields, at: string, problems: string[]): void {
  if (!oneOf(decision.action, ['matmul', 'conv', 'embedding', 'float'], `${at}.action`, problems)) return;
  if (decision.action === 'float') {
    checkKeys(decision, ['action', 'reason'], at, problems);
    if (!isObject(decision.reason) || typeof decision.reason.text !== 'string')
      problems.push(`${at}.reason: expected code and text`);
    return;
  }
  const key = decision.action === 'embedding' ? 'table' : 'weight';
  checkKeys(decision, ['action', key, 'capability'], at, problems);
  const scheme = decision[key];
  if (!isObject(scheme)) {
    problems.push(`${at}.${key}: expected an object`);
    return;
  }
  oneOf(scheme.elementType, ['int8', 'uint8'], `${at}.${key}.elementType`, problems);
  oneOf(
    scheme.granularity,
    key === 'weight' ? ['tensor', 'channel'] : ['tensor', 'row'],
    `${at}.${key}.granularity`,
    problems,
  );
  if (key === 'weight') oneOf(scheme.range, ['full', 'reduced', 'pair-aware'], `${at}.${key}.range`, problems);
}

function oneOf(value: unknown, allowed: readonly string[], at: string, problems: string[]): boolean {
  if (typeof value === 'string' && allowed.includes(value)) return true;
  const near = typeof value === 'string' ? nearestNames(value, allowed, 1)[0] : undefined;
  problems.push(
    `${at}: expected ${allowed.join(', ')}, got ${JSON.stringify(value)}${near ? ` (did you mean ${near}?)` : ''}`,
  );
  return false;
}

function checkKeys(fields: Fields, allowed: readonly string[], at: string, problems: string[]): void {
  for (const key of Object.keys(fields)) {
    if (allowed.includes(key)) continue;
    const near = nearestNames(key, allowed, 1)[0];
    problems.push(`${at ? `${at}.` : ''}${key}: unknown key${near ? ` (did you mean ${near}?)` : ''}`);
  }
}

/**
 * Puts edited decisions in the place of made ones. An entry whose id the model does not have, whose decision the node
 * cannot take, or whose capability nobody claims, is an error: a plan never fails in silence.
 * @param capabilities ids of the claims at hand
 * @throws E_CONFIG_SCHEMA
 */
export function mergePlan(made: Plan, edited: Plan, capabilities: readonly string[]): Plan {
  const byId = new Map(made.entries.map((entry) => [entry.id, entry]));
  const problems: string[] = [];
  for (const entry of edited.entries) {
    const problem = mergeProblem(entry, byId.get(entry.id), made) ?? capabilityProblem(entry, capabilities);
    if (problem) problems.push(problem);
  }
  if (problems.length > 0) {
    throw new OptimumError('E_CONFIG_SCHEMA', `The plan does not fit the model: ${problems.slice(0, 20).join('; ')}.`, {
      context: { problems },
    });
  }
  const decisions = new Map(edited.entries.map((entry) => [entry.id, entry.decision]));
  const entries = made.entries.map((entry) => ({ ...entry, decision: decisions.get(entry.id) ?? entry.decision }));
  return { ...made, recipe: edited.recipe, valueInfo: edited.valueInfo, entries };
}

/** Reasons for which a node cannot be made integer, whoever asks. */
const hard = new Set(['not-constant', 'shape', 'element-type', 'opset', 'function', 'attributes', 'no-capability']);

function mergeProblem(edited: PlanEntry, made: PlanEntry | undefined, plan: Plan): string | undefined {
  if (!made) {
    const near = nearestNames(
      edited.id,
      plan.entries.map(({ id }) => id),
      1,
    )[0];
    return `the model has no node "${edited.id}"${near ? ` (did you mean "${near}"?)` : ''}`;
  }
  if (edited.decision.action === 'float' || made.decision.action === edited.decision.action) return undefined;
  if (made.decision.action === 'float' && !hard.has(made.decision.reason.code)) return undefined;
  const why = made.decision.action === 'float' ? made.decision.reason.text : `it is ${made.decision.action}`;
  return `"${edited.id}" cannot be ${edited.decision.action}: ${why}`;
}

function capabilityProblem({ id, decision }: PlanEntry, capabilities: readonly string[]): string | undefined {
  if (decision.action === 'float' || capabilities.includes(decision.capability)) return undefined;
  const near = nearestNames(decision.capability, capabilities, 1)[0];
  return `"${id}" names the capability "${decision.capability}", which nobody claims${near ? ` (did you mean "${near}"?)` : ''}`;
}
