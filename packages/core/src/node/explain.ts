import { type FormTime, formTimes } from '../evaluate/index.ts';
import { nearestNames, OptimumError } from '../foundation/index.ts';
import type { Model, Node } from '../ir/index.ts';
import { type Decision, nodeIds, type Plan } from '../plan/index.ts';
import { type ExplainedClaim, explainClaims } from '../quantize/index.ts';
import { applyCostTable, isForThisMachine } from './apply-cost-table.ts';
import { boundShapes, type ShapeSizes } from './bound-shapes.ts';
import { toCanonicalForm } from './load-canonical.ts';
import { loadModelSync } from './load-model.ts';
import { resolveModelInput, type SessionFile } from './model-folder.ts';
import { decide } from './plan-session.ts';
import { type PrepareOptions, prepare } from './prepare.ts';
import { findCostTable, type KeptTable } from './probe-cache.ts';
import type { SessionContext } from './session-context.ts';

export interface ExplainOptions extends PrepareOptions, ShapeSizes {
  /** A model folder or one `.onnx` file. */
  readonly input: string;
  /** Id of the node, as plans have it. */
  readonly node: string;
}

/** Why a node is integer or float on a target, and what it takes in each form. Plain JSON. */
export interface Explanation {
  readonly schemaVersion: 1;
  readonly session: string;
  readonly node: string;
  readonly op: string;
  readonly target: string;
  readonly recipe: string;
  /** Dims at the sizes that were asked for, `null` where they do not follow from the graph. */
  readonly inputs: readonly (readonly number[] | null)[];
  readonly output: readonly number[] | null;
  /** What the planner decides. Absent for operators that it does not look at. */
  readonly decision?: Decision | undefined;
  readonly claims: readonly ExplainedClaim[];
  /** By the table of measured times, where this machine has one. */
  readonly times: readonly FormTime[];
  /** Key of that table. */
  readonly costTable?: string | undefined;
  readonly notes: readonly string[];
}

/**
 * Plans a model and says of one node what was considered and decided. Nothing is run, and nothing written.
 * @throws E_USAGE for a node that the model does not have, and as planning
 */
export async function explainNode(options: ExplainOptions): Promise<Explanation> {
  const preparation = await prepare(options);
  const { sessions } = resolveModelInput(options.input);
  const known: string[] = [];
  for (const session of sessions) {
    const loaded = loadModelSync(session.input);
    try {
      const context: SessionContext = { options, preparation, isFolder: false, finalPath: () => '' };
      toCanonicalForm(loaded.model, context);
      const ids = nodeIds(loaded.model);
      const found = [...ids].find(([, id]) => id === options.node);
      if (found) return await explain(loaded.model, found[0], session, context, options);
      known.push(...ids.values());
    } finally {
      loaded.close();
    }
  }
  throw unknownNode(options.node, known);
}

function unknownNode(node: string, known: readonly string[]): OptimumError {
  const near = nearestNames(node, known);
  return new OptimumError('E_USAGE', `The model has no node "${node}".`, {
    hint:
      near.length > 0
        ? `Did you mean ${near.map((name) => `"${name}"`).join(' or ')}?`
        : 'optimum quantize MODEL --dry-run --json lists the ids of the nodes.',
    context: { node, near },
  });
}

async function explain(
  model: Model,
  node: Node,
  session: SessionFile,
  context: SessionContext,
  options: ExplainOptions,
): Promise<Explanation> {
  const { target, recipe, capabilities } = context.preparation;
  const { plan, notes } = await applyCostTable(decide(model, context), model, context);
  const entry = plan.entries.find(({ id }) => id === options.node);
  const shapeOf = boundShapes(model, options);
  const measured = await tableFor(context);
  const decision = entry?.decision;
  const opset = model.opset() ?? 1;
  return {
    schemaVersion: 1,
    ...{ session: session.name, node: options.node, op: node.op, target: target.id, recipe: recipe.id },
    inputs: node.inputs.map((value) => (value && shapeOf(value)) ?? null),
    output: (node.outputs[0] && shapeOf(node.outputs[0])) ?? null,
    decision,
    claims: explainClaims(node, { capabilities, features: target.features, recipe, opset, decision }),
    times: measured ? formTimes(node, shapeOf, measured.table) : [],
    costTable: measured?.key,
    notes: [...notes, ...notesOf(plan, context, measured !== undefined)],
  };
}

/** Times of this machine say nothing about another target. */
async function tableFor(context: SessionContext): Promise<KeptTable | undefined> {
  const { backend, facts } = context.preparation;
  return isForThisMachine(context) ? findCostTable(backend.runtime, facts, context.options.projectFolder) : undefined;
}

function notesOf({ target }: Plan, context: SessionContext, isMeasured: boolean): string[] {
  if (!isForThisMachine(context)) return [`${target} is not this machine alone: what it takes there is not known here`];
  return isMeasured ? [] : ['no times are known of this CPU: run optimum probe'];
}
