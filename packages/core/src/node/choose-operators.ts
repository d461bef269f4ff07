import { leftFloat, type Plan, type PlanEntry, settlePlan } from '../plan/index.ts';
import { chooseFastest, type OperatorCost, type OperatorForm } from '../quantize/index.ts';
import { type CalibrationSubject, sampleFeeds } from './calibrate-plan.ts';
import { loadCanonical } from './load-canonical.ts';
import { madeUpAttempts } from './made-up-data.ts';
import { measureOperators } from './measure-operators.ts';
import type { SessionContext } from './session-context.ts';

/**
 * Takes operators back to float that measure no faster as integers on this CPU, at the shapes of the data. Only for
 * recipes that choose by themselves, on the machine that the model is for: elsewhere the capabilities' claims have to do.
 */
export async function chooseOperators(plan: Plan, subject: CalibrationSubject, context: SessionContext): Promise<Plan> {
  const { options, preparation } = context;
  const { backend, recipe, target } = preparation;
  // A plan that the user wrote is followed.
  const isMeasurable = recipe.mode === 'auto' && target.isThisMachine && !options.plan;
  if (!isMeasurable || (await backend.runtime.status(options.projectFolder)).status === 'absent') return plan;
  const candidates = plan.entries.filter(({ op, decision }) => measurable.has(op) && decision.action !== 'float');
  const costs = await measure(candidates, subject, context);
  // Products are as fast with dynamic ranges, which need no data and lose less: only convolutions become static.
  const dynamic = new Set(candidates.filter(({ decision }) => decision.action === 'matmul').map(({ id }) => id));
  const comparable = costs.map(({ staticUs, ...cost }) =>
    dynamic.has(cost.id) || staticUs === undefined ? cost : { ...cost, staticUs },
  );
  const forms = chooseFastest(subject.model, comparable);
  return settlePlan({ ...plan, entries: plan.entries.map((entry) => chosen(entry, forms.get(entry.id))) });
}

const measurable = new Set(['Conv', 'MatMul', 'Gemm']);

async function measure(
  candidates: readonly PlanEntry[],
  subject: CalibrationSubject,
  context: SessionContext,
): Promise<OperatorCost[]> {
  const { options, preparation } = context;
  const [sample] = await sampleFeeds(subject, context, 1);
  const feeds = sample ?? madeUpAttempts(subject.model, 0)[0]?.();
  if (!feeds || candidates.length === 0) return [];
  // Measuring makes outputs of inner values: not in the model that is to be quantized.
  const loaded = await loadCanonical(subject.path, context);
  try {
    return await measureOperators(
      loaded.model,
      candidates.map(({ id }) => id),
      {
        runtime: preparation.backend.runtime,
        feeds,
        path: subject.path,
        sessionOptions: {
          threads: options.timingThreads ?? 1,
          config: preparation.recipe.session,
          ...(options.projectFolder && { from: options.projectFolder }),
        },
        signal: options.signal,
      },
    );
  } finally {
    loaded.close();
  }
}

/** What was too small to be measured is too small to be worth conversions. Tables and movers are not measured. */
function chosen(entry: PlanEntry, form: OperatorForm | undefined): PlanEntry {
  const { action } = entry.decision;
  const isTooSmall = form === undefined && action === 'static' && measurable.has(entry.op);
  if (action === 'float' || (form !== 'float' && !isTooSmall)) return entry;
  const text = `measured here: int8 ${entry.op} of these sizes is no faster than float32, conversions included`;
  return leftFloat(entry, 'no-faster', text);
}
