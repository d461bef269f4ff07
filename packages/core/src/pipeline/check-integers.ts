import type { Session, TensorData } from '../backend/index.ts';
import {
  addNode,
  float32Tensor,
  type Graph,
  intAttribute,
  type Model,
  type Node,
  tensorOf,
  tensorType,
  type Value,
} from '../ir/index.ts';
import { numbersOf } from './compare-outputs.ts';

/** What came of comparing every integer product with exact arithmetic. */
export interface IntegerCheck {
  /** Integer products checked, and those that cannot be tapped: convolutions, and products inside subgraphs. */
  readonly nodes: number;
  readonly notTapped: number;
  readonly outputs: number;
  readonly wrong: number;
  /** Products with wrong outputs: name, part of its outputs, largest difference. */
  readonly worst: readonly {
    readonly node: string;
    readonly wrong: number;
    readonly outputs: number;
    readonly largest: number;
  }[];
}

export const nothingChecked: IntegerCheck = { nodes: 0, notTapped: 0, outputs: 0, wrong: 0, worst: [] };

/** The checks of the same products on several inputs, as one. */
export function sumChecks(checks: readonly IntegerCheck[]): IntegerCheck {
  const [first] = checks;
  if (!first) return nothingChecked;
  return {
    nodes: first.nodes,
    notTapped: first.notTapped,
    outputs: checks.reduce((sum, { outputs }) => sum + outputs, 0),
    wrong: checks.reduce((sum, { wrong }) => sum + wrong, 0),
    worst: worstOf(checks.flatMap(({ worst }) => worst)),
  };
}

const worstOf = (rows: IntegerCheck['worst']): IntegerCheck['worst'] =>
  rows
    .filter(({ wrong }) => wrong > 0)
    .sort((a, b) => b.wrong / b.outputs - a.wrong / a.outputs)
    .slice(0, 5);

const float64 = 11;
const contrib = 'com.microsoft';

/** One product under check: its name and the names of the three scalars that tell about it. */
export interface IntegerTap {
  readonly node: string;
  readonly wrong: string;
  readonly largest: string;
  readonly outputs: string;
}

/**
 * Adds to a quantized model, for every integer product of the main graph, the same product in float64 (exact for any K
 * below 2^37) and three scalars: how many outputs differ, by how much at most, and how many there are. Everything is
 * compared inside the runtime, so that only scalars cross. Changes `model`.
 */
export function tapIntegerProducts(model: Model): { readonly taps: readonly IntegerTap[]; readonly notTapped: number } {
  const taps: IntegerTap[] = [];
  let notTapped = 0;
  const builder = new Taps(model.graph);
  for (const node of [...model.graph.nodes()]) {
    const difference = differenceOf(builder, node);
    if (difference) taps.push(tap(builder, node, difference, taps.length));
    else notTapped += (node.is('ConvInteger') ? 1 : 0) + countNested(node);
  }
  return { taps, notTapped };
}

/** Convolutions have no float64 kernel to compare with. */
const isProduct = (node: Node): boolean =>
  node.is('MatMulInteger') || node.is('ConvInteger') || node.is('DynamicQuantizeMatMul', contrib);

function countNested(node: Node): number {
  let count = 0;
  for (const graph of node.subgraphs) {
    for (const inner of graph.nodes()) count += (isProduct(inner) ? 1 : 0) + countNested(inner);
  }
  return count;
}

/** Builds the nodes of a check at the end of a graph. */
class Taps {
  readonly #graph: Graph;

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  get graph(): Graph {
    return this.#graph;
  }

  add(op: string, inputs: readonly (Value | undefined)[], attributes = {}, domain = ''): Value {
    return addNode(this.#graph, op, { inputs, attributes, domain }).outputs[0] as Value;
  }

  toDouble(value: Value): Value {
    return this.add('Cast', [value], { to: intAttribute(float64) });
  }

  /** value - zeroPoint in float64. */
  centred(value: Value, zeroPoint: Value | undefined): Value {
    const numbers = this.toDouble(value);
    return zeroPoint ? this.add('Sub', [numbers, this.toDouble(zeroPoint)]) : numbers;
  }

  constant(value: number): Value {
    return this.#graph.addInitializer(float32Tensor([], [value]));
  }
}

/** |what the runtime computed - exact|, in units of the integer sum; `undefined` for a node that is no product. */
function differenceOf(taps: Taps, node: Node): Value | undefined {
  if (node.is('MatMulInteger')) return integerDifference(taps, node);
  return node.is('DynamicQuantizeMatMul', contrib) ? fusedDifference(taps, node) : undefined;
}

function integerDifference(taps: Taps, node: Node): Value {
  const [a, b, aZero, bZero] = node.inputs;
  const exact = taps.add('MatMul', [taps.centred(a as Value, aZero), taps.centred(b as Value, bZero)]);
  return taps.add('Abs', [taps.add('Sub', [taps.toDouble(node.outputs[0] as Value), exact])]);
}

/**
 * The operator that quantizes its activation itself hands out the sum times both scales. The activation is quantized
 * again by the same rule, the sum is recovered by dividing, and what is left of the rounding to float32 (far below one
 * half for sums below 2^22) is cut off.
 * @source onnx DynamicQuantizeLinear; onnxruntime contrib_ops DynamicQuantizeMatMul
 */
function fusedDifference(taps: Taps, node: Node): Value {
  const [activation, weight, weightScale, weightZero, bias] = node.inputs;
  const { quantized, scale, zeroPoint } = quantizedLike(taps, activation as Value);
  const exact = taps.add('MatMul', [taps.centred(quantized, zeroPoint), taps.centred(weight as Value, weightZero)]);
  const scales = taps.add('Mul', [taps.toDouble(scale), taps.toDouble(weightScale as Value)]);
  const output = taps.toDouble(node.outputs[0] as Value);
  const unbiased = bias ? taps.add('Sub', [output, taps.toDouble(bias)]) : output;
  const difference = taps.add('Abs', [taps.add('Sub', [taps.add('Div', [unbiased, scales]), exact])]);
  // Floor(|d| + 1/2): 0 for what rounding leaves.
  return taps.add('Floor', [taps.add('Add', [difference, taps.toDouble(taps.constant(0.5))])]);
}

/** DynamicQuantizeLinear in operators that every opset has. */
function quantizedLike(taps: Taps, x: Value): { quantized: Value; scale: Value; zeroPoint: Value } {
  const whole = { keepdims: intAttribute(0) };
  const zero = taps.constant(0);
  const low = taps.add('Min', [taps.add('ReduceMin', [x], whole), zero]);
  const high = taps.add('Max', [taps.add('ReduceMax', [x], whole), zero]);
  const scale = taps.add('Div', [taps.add('Sub', [high, low]), taps.constant(255)]);
  const none = taps.graph.addInitializer(tensorOf('uint8', [], Uint8Array.of(0)));
  const zeroPoint = taps.add('QuantizeLinear', [taps.add('Neg', [low]), scale, none], {}, contrib);
  return { quantized: taps.add('QuantizeLinear', [x, scale, zeroPoint], {}, contrib), scale, zeroPoint };
}

function tap(taps: Taps, node: Node, difference: Value, ordinal: number): IntegerTap {
  const differs = taps.toDouble(taps.add('Cast', [difference], { to: intAttribute(9) }));
  const whole = { keepdims: intAttribute(0) };
  const name = (what: string): string => `optimum.check.${ordinal}.${what}`;
  expose(taps.graph, taps.add('ReduceSum', [differs], whole), name('wrong'));
  expose(taps.graph, taps.add('ReduceMax', [difference], whole), name('largest'));
  expose(taps.graph, taps.toDouble(taps.add('Size', [difference])), name('outputs'));
  const label = node.name || node.outputs[0]?.name || `${node.op} ${ordinal}`;
  return { node: label, wrong: name('wrong'), largest: name('largest'), outputs: name('outputs') };
}

function expose(graph: Graph, value: Value, name: string): void {
  value.name = name;
  value.type = tensorType('float64', []);
  graph.addOutput(value);
}

/** Runs the tapped model on the inputs and sums up. */
export async function runIntegerCheck(
  session: Session,
  taps: readonly IntegerTap[],
  notTapped: number,
  feeds: Readonly<Record<string, TensorData>>,
): Promise<IntegerCheck> {
  const names = taps.flatMap(({ wrong, largest, outputs }) => [wrong, largest, outputs]);
  const results = await session.run(feeds, names);
  const scalar = (name: string): number => (results[name] && numbersOf(results[name])?.[0]) ?? Number.NaN;
  const rows = taps.map((entry) => ({
    node: entry.node,
    wrong: scalar(entry.wrong),
    outputs: scalar(entry.outputs),
    largest: scalar(entry.largest),
  }));
  return {
    nodes: taps.length,
    notTapped,
    outputs: rows.reduce((sum, row) => sum + row.outputs, 0),
    wrong: rows.reduce((sum, row) => sum + row.wrong, 0),
    worst: worstOf(rows),
  };
}
