import { nearestNames, OptimumError } from '../foundation/index.ts';
import type { ActivationEntry, Plan, PlanEntry } from './plan.ts';
import { settlePlan } from './settle-plan.ts';

/**
 * Puts edited decisions in the place of made ones. An entry whose id the model does not have, whose decision the node
 * cannot take, or whose capability nobody claims, is an error: a plan never fails in silence.
 * @param capabilities ids of the claims at hand
 * @param nodes ids of the model's nodes; with them, static nodes may be added that the made plan has no entry for (what
 * only moves numbers has one in plans with ranges alone)
 * @throws E_CONFIG_SCHEMA
 */
export function mergePlan(
  made: Plan,
  edited: Plan,
  capabilities: readonly string[],
  nodes: ReadonlySet<string> = new Set(),
): Plan {
  const added = edited.entries.filter(
    ({ id, decision }) =>
      decision.action === 'static' && nodes.has(id) && !made.entries.some((entry) => entry.id === id),
  );
  return mergeInto({ ...made, entries: [...made.entries, ...added] }, edited, capabilities);
}

function mergeInto(made: Plan, edited: Plan, capabilities: readonly string[]): Plan {
  const byId = new Map(made.entries.map((entry) => [entry.id, entry]));
  const problems: string[] = [];
  const activations = mergedActivations(made, edited);
  for (const entry of edited.entries) {
    const before = byId.get(entry.id);
    const problem = mergeProblem(entry, before, made) ?? capabilityProblem(entry, capabilities);
    const missing = before ? activationProblems(withEdit(before, entry), activations) : [];
    problems.push(...(problem ? [problem] : missing));
  }
  problems.push(...sharingProblems(activations));
  if (problems.length > 0) {
    throw new OptimumError('E_CONFIG_SCHEMA', `The plan does not fit the model: ${problems.slice(0, 20).join('; ')}.`, {
      context: { problems },
    });
  }
  const edits = new Map(edited.entries.map((entry) => [entry.id, entry]));
  const entries = made.entries.map((entry) => withEdit(entry, edits.get(entry.id)));
  const form = edited.form ?? made.form;
  return settlePlan({
    ...made,
    recipe: edited.recipe,
    valueInfo: edited.valueInfo,
    entries,
    ...(activations.length > 0 && { activations }),
    ...(form && { form }),
  });
}

/** An edited decision, with the activations that came with it. */
function withEdit(made: PlanEntry, edited: PlanEntry | undefined): PlanEntry {
  if (!edited) return made;
  const { decision, reads = made.reads, writes = made.writes } = edited;
  return { ...made, decision, ...(reads && { reads }), ...(writes && { writes }) };
}

/** Edited activations in the place of made ones; those of nodes that the made plan has in float come on top. */
function mergedActivations(made: Plan, edited: Plan): ActivationEntry[] {
  const all = [...(made.activations ?? []), ...(edited.activations ?? [])];
  return [...new Map(all.map((entry) => [entry.id, entry])).values()];
}

/** Reasons for which a node cannot be made integer, whoever asks. */
const hard = new Set([
  'not-constant',
  'shape',
  'element-type',
  'opset',
  'function',
  'attributes',
  'no-capability',
  'subgraph',
]);

/** Ways to make the same operators integer: a plan may change one for the other. */
const interchangeable: readonly (readonly string[])[] = [
  ['matmul', 'static'],
  ['conv', 'static'],
];

function mergeProblem(edited: PlanEntry, made: PlanEntry | undefined, plan: Plan): string | undefined {
  if (!made) {
    const ids = plan.entries.map(({ id }) => id);
    return `the model has no node "${edited.id}"${suggestion(edited.id, ids)}`;
  }
  const [from, to] = [made.decision.action, edited.decision.action];
  if (to === 'float' || from === to) return undefined;
  if (interchangeable.some((actions) => actions.includes(from) && actions.includes(to))) return undefined;
  if (made.decision.action === 'float' && !hard.has(made.decision.reason.code)) return undefined;
  const why = made.decision.action === 'float' ? made.decision.reason.text : `it is ${made.decision.action}`;
  return `"${edited.id}" cannot be ${edited.decision.action}: ${why}`;
}

/** What a static node needs to know of its activations, and the plan does not say. */
function activationProblems(
  { id, decision, reads, writes = [] }: PlanEntry,
  known: readonly ActivationEntry[],
): string[] {
  if (decision.action !== 'static') return [];
  if (!reads?.length) return [`"${id}" is static, but does not say which activations it reads`];
  const ids = known.map((entry) => entry.id);
  return [...reads, ...writes]
    .filter((name) => !ids.includes(name))
    .map((name) => `"${id}" names activation "${name}", which is not among the activations${suggestion(name, ids)}`);
}

/** Parameters are shared with an activation that has some itself. */
function sharingProblems(activations: readonly ActivationEntry[]): string[] {
  const byId = new Map(activations.map((entry) => [entry.id, entry.parameters.kind]));
  return activations.flatMap(({ id, parameters }) => {
    if (parameters.kind !== 'shared') return [];
    const kind = byId.get(parameters.with);
    if (kind === 'own' || kind === 'fixed') return [];
    const why = kind
      ? 'which has none of its own'
      : `which is not among the activations${suggestion(parameters.with, [...byId.keys()])}`;
    return [`activation "${id}" shares the parameters of "${parameters.with}", ${why}`];
  });
}

function suggestion(name: string, names: readonly string[]): string {
  const near = nearestNames(name, names, 1)[0];
  return near ? ` (did you mean "${near}"?)` : '';
}

function capabilityProblem({ id, decision }: PlanEntry, capabilities: readonly string[]): string | undefined {
  if (decision.action === 'float' || capabilities.includes(decision.capability)) return undefined;
  return `"${id}" names the capability "${decision.capability}", which nobody claims${suggestion(decision.capability, capabilities)}`;
}
