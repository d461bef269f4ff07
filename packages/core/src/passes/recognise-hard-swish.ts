import { addNode, floatAttribute, type Graph, type Model, type Node, replaceNode, type Value } from '../ir/index.ts';
import { constantFloats } from './constant-floats.ts';
import { type ScalarBeside, scalarBeside } from './constant-scalar.ts';
import { dropUnread } from './drop-unread.ts';
import { editableGraphs } from './editable-graphs.ts';
import { soleConsumer } from './sole-consumer.ts';

/** The opset that has HardSwish. */
const hardSwishOpset = 14;

/**
 * Clip(x + 3, 0, 6) / 6 becomes HardSigmoid, and x times that becomes HardSwish where the opset has it, in whatever
 * order the factors stand and whether 6 divides or 1/6 multiplies. Before opset 14, x · HardSigmoid(x) is left. Returns
 * how many were recognised.
 * @source onnx HardSwish-14: x · max(0, min(1, x / 6 + 1/2))
 */
export function recogniseHardSwish(model: Model): number {
  const scalar = scalarBeside(model);
  const hasHardSwish = (model.opset() ?? 0) >= hardSwishOpset;
  let count = 0;
  for (const graph of editableGraphs(model)) {
    for (const node of [...graph.nodes()]) {
      if (node.graph !== graph) continue;
      const found = recogniseClip(node, scalar) ?? (hasHardSwish ? recogniseProduct(node) : undefined);
      if (!found) continue;
      replace(found, graph, hasHardSwish);
      count++;
    }
  }
  return count;
}

interface Recognised {
  readonly x: Value;
  /** The last operator of the pattern. */
  readonly last: Node;
  /** `gate`: HardSigmoid(x). `swish`: x · HardSigmoid(x). */
  readonly is: 'gate' | 'swish';
}

/** From the Clip on: what is divided by 6 is the gate, or its product with x. */
function recogniseClip(clip: Node, scalar: ScalarBeside): Recognised | undefined {
  const x = clippedInput(clip, scalar);
  const clipped = clip.outputs[0];
  const consumer = clipped && soleConsumer(clipped);
  if (!x || !consumer) return undefined;
  if (sixthOf(consumer, scalar) === clipped) return { x, last: consumer, is: 'gate' };
  const factor = consumer.is('Mul') ? consumer.inputs.find((input) => input !== clipped) : undefined;
  if (factor?.producer && sixthOf(factor.producer, scalar) === x) return { x, last: consumer, is: 'swish' };
  const product = factor === x ? consumer.outputs[0] : undefined;
  const divided = product && soleConsumer(product);
  return divided && sixthOf(divided, scalar) === product ? { x, last: divided, is: 'swish' } : undefined;
}

/** x of Clip(x + 3, 0, 6). */
function clippedInput(clip: Node, scalar: ScalarBeside): Value | undefined {
  if (!clip.is('Clip') || clipBound(clip, 'min', 1) !== 0 || clipBound(clip, 'max', 2) !== 6) return undefined;
  const sum = clip.inputs[0]?.producer;
  if (!sum?.is('Add')) return undefined;
  const [a, b] = sum.inputs;
  if (scalar(b, a) === 3) return a;
  return scalar(a, b) === 3 ? b : undefined;
}

/** An attribute before opset 11, an input since. */
function clipBound(clip: Node, name: 'min' | 'max', input: number): number | undefined {
  const attribute = clip.attributes.get(name);
  return attribute?.type === 'float' ? attribute.value : constantFloats(clip.inputs[input])?.values[0];
}

/** What a node divides by 6; the reciprocal may be off by a rounding or two. */
function sixthOf(node: Node, scalar: ScalarBeside): Value | undefined {
  const [a, b] = node.inputs;
  if (node.is('Div')) return scalar(b, a) === 6 ? a : undefined;
  if (!node.is('Mul')) return undefined;
  if (isSixth(scalar(b, a))) return a;
  return isSixth(scalar(a, b)) ? b : undefined;
}

const isSixth = (number: number | undefined): boolean => number !== undefined && Math.abs(number * 6 - 1) < 4e-7;

/** x · HardSigmoid(x), of which nobody else sees the gate. */
function recogniseProduct(node: Node): Recognised | undefined {
  const [a, b] = node.inputs;
  if (!node.is('Mul') || !a || !b) return undefined;
  for (const [x, gate] of [
    [a, b],
    [b, a],
  ] as const) {
    const producer = soleConsumer(gate) === node ? gate.producer : undefined;
    if (producer?.inputs[0] === x && isStandardGate(producer)) return { x, last: node, is: 'swish' };
  }
  return undefined;
}

const isStandardGate = (node: Node): boolean =>
  node.is('HardSigmoid') && isSixth(node.float('alpha', 0.2)) && node.float('beta', 0.5) === 0.5;

function replace({ x, last, is }: Recognised, graph: Graph, hasHardSwish: boolean): void {
  const replaced = last.inputs;
  const add = (op: string, inputs: readonly Value[], suffix = '', attributes = {}): Value => {
    const name = last.name && `${last.name}${suffix}`;
    return addNode(graph, op, { inputs, attributes, name, outputTypes: [x.type] }, last).outputs[0] as Value;
  };
  const gate = (suffix = ''): Value =>
    add('HardSigmoid', [x], suffix, { alpha: floatAttribute(1 / 6), beta: floatAttribute(0.5) });
  if (is === 'gate') replaceNode(last, gate());
  else replaceNode(last, hasHardSwish ? add('HardSwish', [x]) : add('Mul', [x, gate('_gate')]));
  removeUnreadBack(replaced, x);
}

/** Operators of the patterns. */
const parts = new Set(['Mul', 'Div', 'Add', 'Clip', 'HardSigmoid']);

/** Removes what the pattern read and nobody else does, back to x. */
function removeUnreadBack(values: readonly (Value | undefined)[], x: Value): void {
  for (const value of values) {
    const node = value === x ? undefined : value?.producer;
    if (!node?.graph || !parts.has(node.op) || value?.uses.size !== 0) continue;
    const inputs = [...node.inputs];
    node.graph.remove(node);
    removeUnreadBack(inputs, x);
  }
  dropUnread(values.filter((value) => value !== x));
}
