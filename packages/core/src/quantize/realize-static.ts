import { internalError } from '../foundation/index.ts';
import { type Graph, type Model, type Node, type Value, walkNodes } from '../ir/index.ts';
import type { ActivationScheme, QuantizationParameters } from '../observe/index.ts';
import type { ActivationEntry, Plan, PlanEntry } from '../plan/index.ts';
import { emitQdq } from './emit-qdq.ts';
import { emitQOperator } from './emit-qoperator.ts';
import { clippingOf, withClipping } from './epilogue.ts';
import { IntegerValues, type StoredActivation } from './integer-values.ts';
import { placementOf } from './placement/index.ts';
import { realizeFloatProduct } from './realize-float-product.ts';
import { firstFusibleOpset, replaceOutputs, type StaticContext, takesOperators } from './static-context.ts';
import { announceBiases, type StaticInput, type StaticWork, staticInputs } from './static-operands.ts';
import type { WeightStore } from './weight-store.ts';

export interface StaticPlan {
  readonly model: Model;
  readonly plan: Plan;
  /** Of the activations with parameters of their own. */
  readonly parameters: ReadonlyMap<string, QuantizationParameters>;
  readonly nodes: ReadonlyMap<string, Node>;
  readonly values: ReadonlyMap<string, Value>;
}

/**
 * Makes the static nodes of a plan integer. One set of rules for both forms: each node gets its operands as integers,
 * its emitter puts the new operator in its place, and its result is stored as the plan says.
 * @throws E_INTERNAL when the plan does not belong to the model, or lacks parameters
 */
export function realizeStatic(subject: StaticPlan, store: WeightStore): void {
  const { model, plan, nodes } = subject;
  const opset = model.opset() ?? 1;
  const entries = new Map(plan.entries.map((entry) => [nodes.get(entry.id), entry]));
  // In the order of the graph: integers are there before those who read them.
  const work = [...walkNodes(model)].flatMap((node) => {
    const entry = entries.get(node);
    return entry?.decision.action === 'static' ? [workOf(entry, node, subject.values)] : [];
  });
  const values = new IntegerValues(storedActivations(subject), opset);
  announceBiases(work, values, store);
  const isStatic = new Set(work.map(({ node }) => node));
  const usesOperators = plan.form === 'qoperator' || opset < firstFusibleOpset;
  const context: StaticContext = { values, store, opset, usesOperators, isStatic: (node) => isStatic.has(node) };
  for (const one of work) realizeNode(one, context);
  values.removeUnread();
}

function workOf({ id, decision, writes = [] }: PlanEntry, node: Node, values: StaticPlan['values']): StaticWork {
  const placement = placementOf(node);
  if (!placement || decision.action !== 'static') throw internalError(`"${id}" (${node.op}) cannot be static.`);
  return { node, placement, scheme: decision.weight, writes: writes.map((name) => valueWithId(values, name)) };
}

function valueWithId(values: StaticPlan['values'], id: string): Value {
  const value = values.get(id);
  if (!value) throw internalError(`The plan names activation "${id}", which the model does not have.`);
  return value;
}

/** Parameters by value; those that share theirs have one entry in common. */
function storedActivations({ plan, parameters, values }: StaticPlan): Map<Value, StoredActivation> {
  const entries = new Map((plan.activations ?? []).map((entry) => [entry.id, entry]));
  const named = new Set(plan.entries.flatMap(({ reads = [], writes = [] }) => [...reads, ...writes]));
  const roots = new Map<string, StoredActivation>();
  const rootOf = (id: string): StoredActivation => {
    const known = roots.get(id) ?? rootActivation(entries.get(id), id, parameters, valueWithId(values, id));
    roots.set(id, known);
    return known;
  };
  const stored = new Map<Value, StoredActivation>();
  for (const id of named) {
    const source = entries.get(id)?.parameters;
    stored.set(valueWithId(values, id), rootOf(source?.kind === 'shared' ? source.with : id));
  }
  return stored;
}

function rootActivation(
  entry: ActivationEntry | undefined,
  id: string,
  parameters: ReadonlyMap<string, QuantizationParameters>,
  value: Value,
): StoredActivation {
  const source = entry?.parameters;
  const own = source?.kind === 'fixed' ? source : parameters.get(id);
  if (!entry || !own)
    throw internalError(`Activation "${id}" has no scale: plan what was not observed as float first.`);
  const { scale, zeroPoint } = own;
  return { id, scheme: entry.scheme, parameters: clippedParameters({ scale, zeroPoint }, entry.scheme, value) };
}

/** What a clipping operator gives never leaves its bounds; with them as its range, that operator is not needed. */
function clippedParameters(parameters: QuantizationParameters, scheme: ActivationScheme, { producer }: Value) {
  const bounds = producer && clippingOf(producer);
  const isAroundZero = bounds && bounds.min <= 0 && bounds.max >= 0;
  return isAroundZero && !scheme.symmetric ? withClipping(parameters, scheme, bounds) : parameters;
}

function realizeNode(work: StaticWork, context: StaticContext): void {
  const { node, placement, writes } = work;
  const { values, store, opset } = context;
  takeOverClipping(work, values);
  const inputs = staticInputs(work, values, store);
  // Before opset 10 the integer product with an integer result does not exist.
  const givesFloat = writes.length === 0 || (node.is('MatMul') && opset < firstFusibleOpset);
  if (placement.order === 'weighted' && (givesFloat || addendOf(work, inputs))) {
    realizeFloatProduct(work, inputs, addendOf(work, inputs), context);
    return;
  }
  const isOperator = takesOperators(work, context);
  const output = node.outputs.find((value) => value !== undefined);
  const parameters = output && values.parametersOf(values.storedOf(output), node.graph as Graph);
  const made = isOperator
    ? emitQOperator({ node, placement, inputs, output: parameters, opset })
    : emitQdq(node, inputs, values);
  const results = made.map((value, index) => {
    const old = node.outputs[index];
    return value && old && values.give(isOperator ? { integers: value } : { float: value }, old, node);
  });
  replaceOutputs(node, results);
}

/** A bias of Gemm that cannot be added to integers. */
function addendOf({ node }: StaticWork, inputs: readonly StaticInput[]): Value | undefined {
  return node.is('Gemm') && !inputs[2] ? node.inputs[2] : undefined;
}

/** Relu or Clip behind the node goes where the plan stores what it gives in its place. */
function takeOverClipping({ node, writes }: StaticWork, values: IntegerValues): void {
  const [result] = node.outputs;
  const [clipped] = writes;
  if (!result || !clipped || node.outputs.includes(clipped)) return;
  const clipping = clipped.producer;
  if (!clipping?.graph || result.consumers.length !== 1 || result.consumers[0] !== clipping)
    throw internalError(`${node.op} "${node.name ?? ''}" does not give activation "${clipped.name ?? ''}".`);
  result.type = clipped.type;
  clipped.replaceAllUsesWith(result);
  if (clipped.name !== undefined && !result.isPublic) [result.name, clipped.name] = [clipped.name, undefined];
  clipping.graph.remove(clipping);
  values.takePlace(clipped, result);
}
