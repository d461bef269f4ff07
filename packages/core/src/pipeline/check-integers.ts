import type { Session, TensorData } from '../backend/index.ts';
import { addNode, type Graph, intAttribute, type Model, type Node, tensorType, type Value } from '../ir/index.ts';
import { numbersOf } from './compare-outputs.ts';

/** What came of comparing every integer product with exact arithmetic. */
export interface IntegerCheck {
  /** Integer products checked, and those inside subgraphs that cannot be tapped. */
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

const float64 = 11;

/** One product under check: its name and the names of the three scalars that tell about it. */
export interface IntegerTap {
  readonly node: string;
  readonly wrong: string;
  readonly largest: string;
  readonly outputs: string;
}

/**
 * Adds to a quantized model, for every MatMulInteger of the main graph, the same product in float64 (exact for any K
 * below 2^37) and three scalars: how many outputs differ, by how much at most, and how many there are. Everything is
 * compared inside the runtime, so that only scalars cross. Changes `model`.
 */
export function tapIntegerProducts(model: Model): { readonly taps: readonly IntegerTap[]; readonly notTapped: number } {
  const taps: IntegerTap[] = [];
  let notTapped = 0;
  for (const node of [...model.graph.nodes()]) {
    if (node.is('MatMulInteger')) taps.push(tap(model.graph, node, taps.length));
    else notTapped += countNested(node);
  }
  return { taps, notTapped };
}

function countNested(node: Node): number {
  let count = 0;
  for (const graph of node.subgraphs) {
    for (const inner of graph.nodes()) count += (inner.is('MatMulInteger') ? 1 : 0) + countNested(inner);
  }
  return count;
}

function tap(graph: Graph, node: Node, ordinal: number): IntegerTap {
  const add = (op: string, inputs: readonly (Value | undefined)[], attributes = {}): Value =>
    addNode(graph, op, { inputs, attributes }).outputs[0] as Value;
  const toDouble = (value: Value): Value => add('Cast', [value], { to: intAttribute(float64) });
  const centred = (value: Value | undefined, zeroPoint: Value | undefined): Value => {
    const numbers = toDouble(value as Value);
    return zeroPoint ? add('Sub', [numbers, toDouble(zeroPoint)]) : numbers;
  };
  const exact = add('MatMul', [centred(node.inputs[0], node.inputs[2]), centred(node.inputs[1], node.inputs[3])]);
  const difference = add('Abs', [add('Sub', [toDouble(node.outputs[0] as Value), exact])]);
  const differs = toDouble(add('Cast', [difference], { to: intAttribute(9) }));
  const whole = { keepdims: intAttribute(0) };
  const name = (what: string): string => `optimum.check.${ordinal}.${what}`;
  expose(graph, add('ReduceSum', [differs], whole), name('wrong'));
  expose(graph, add('ReduceMax', [difference], whole), name('largest'));
  expose(graph, toDouble(add('Size', [difference])), name('outputs'));
  const label = node.name || node.outputs[0]?.name || `MatMulInteger ${ordinal}`;
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
    worst: rows
      .filter((row) => row.wrong > 0)
      .sort((a, b) => b.wrong / b.outputs - a.wrong / a.outputs)
      .slice(0, 5),
  };
}
