import { constantOf } from '../analysis/index.ts';
import { internalError } from '../foundation/index.ts';
import { type Graph, type Model, type Node, walkGraphs, walkNodes } from '../ir/index.ts';
import type { QuantizationParameters } from '../observe/index.ts';
import { type Decision, nodeIds, type Plan, valueIds } from '../plan/index.ts';
import { realizeConv } from './realize-conv.ts';
import { realizeMatMul } from './realize-matmul.ts';
import { realizeStatic } from './realize-static.ts';
import { realizeTable } from './realize-table.ts';
import { removeUnread } from './remove-unread.ts';
import type { WeightOverrides } from './weight-override.ts';
import { WeightStore } from './weight-store.ts';

export interface RealizeReport {
  /** Graph inputs that were weights too (ONNX IR < 4) and went with them. */
  readonly removedInputs: readonly string[];
  /** Mean factor of raised scales, once the model has been written; `undefined` when no weight is pair-aware. */
  scaleFactor(): number | undefined;
}

export interface RealizeOptions {
  /** Scale and zero point by id, of every activation that has its own. */
  readonly parameters?: ReadonlyMap<string, QuantizationParameters> | undefined;
  /** Weights whose integers an algorithm chose. */
  readonly overrides?: WeightOverrides | undefined;
}

/**
 * Makes the quantized graph that the plan says. Changes `model`; its new weights are computed while it is written.
 * @throws E_INTERNAL when the plan does not belong to the model or lacks parameters; E_NUMERIC_NAN, E_NUMERIC_INF for a
 * bias without a range
 */
export function realize(model: Model, plan: Plan, options: RealizeOptions = {}): RealizeReport {
  const ids = new Map([...nodeIds(model)].map(([node, id]) => [id, node]));
  const work = plan.entries.flatMap(({ id, decision }) => {
    const node = ids.get(id);
    if (!node) throw internalError(`The plan names node "${id}", which the model does not have.`);
    return decision.action === 'float' ? [] : [{ node, decision }];
  });
  const opset = model.opset() ?? 1;
  const store = new WeightStore(options.overrides);
  announceTables(store, work);
  const values = new Map([...valueIds(model)].map(([value, id]) => [id, value]));
  if (work.some(({ decision }) => decision.action === 'static'))
    realizeStatic({ model, plan, parameters: options.parameters ?? new Map(), nodes: ids, values }, store);
  for (const { node, decision } of work) {
    if (decision.action === 'matmul') realizeMatMul(node, decision.weight, store, opset);
    else if (decision.action === 'conv') realizeConv(node, decision.weight, store);
    else if (decision.action === 'embedding') realizeTable(node, decision.table, store);
  }
  if (work.some(({ decision }) => 'weight' in decision && decision.weight?.elementType === 'int4'))
    model.irVersion = Math.max(model.irVersion ?? 0, firstIrVersionWith4Bits);
  if ([...walkNodes(model)].some(({ domain }) => domain === contrib)) model.requireOpset(contrib, 1);
  const removedInputs = [...walkGraphs(model)].flatMap((graph: Graph) => removeUnread(graph));
  return { removedInputs, scaleFactor: () => store.scaleFactor() };
}

const contrib = 'com.microsoft';
const firstIrVersionWith4Bits = 10;

type Work = { readonly node: Node; readonly decision: Exclude<Decision, { action: 'float' }> };

/** Tables that a product reads too (a tied head) are stored once: both must know of each other before either is made. */
function announceTables(store: WeightStore, work: readonly Work[]): void {
  const tables = new Set(
    work.flatMap(({ node, decision }) => {
      const isRowTable = decision.action === 'embedding' && decision.table.granularity === 'row';
      const data = isRowTable ? node.inputs[0] : undefined;
      return data ? [constantOf(data)?.tensor] : [];
    }),
  );
  for (const { node, decision } of work) {
    if (
      decision.action !== 'matmul' ||
      decision.weight.granularity !== 'channel' ||
      decision.weight.elementType !== 'int8'
    )
      continue;
    const weight = node.inputs[1] && constantOf(node.inputs[1]);
    const isTransposed = weight && weight.transposed !== (node.int('transB', 0) === 1);
    if (isTransposed && tables.has(weight.tensor)) store.tie(weight.tensor, decision.weight.range);
  }
}
