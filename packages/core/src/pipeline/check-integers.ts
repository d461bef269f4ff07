import type { Session, TensorData } from '../backend/index.ts';
import { type Model, tensorType } from '../ir/index.ts';
import { numbersOf } from './compare-outputs.ts';
import { tapProducts } from './tap-products.ts';

/** What came of comparing every integer product with exact arithmetic. */
export interface IntegerCheck {
  /** Integer products checked, and those that cannot be: in bodies of loops, and convolutions without known filters. */
  readonly nodes: number;
  readonly notTapped: number;
  readonly outputs: number;
  readonly wrong: number;
  /**
   * Products with wrong outputs: name, how many of how many, and the largest difference, in units of the integer sum, or
   * in steps of 8 bits where these are handed out.
   */
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

/** One product under check: its name and the names of the three scalars that tell about it. */
export interface IntegerTap {
  readonly node: string;
  readonly wrong: string;
  readonly largest: string;
  readonly outputs: string;
}

/**
 * Adds to a model, for every integer product of the main graph and of branches of If, the same product in exact
 * arithmetic and three scalars: how many outputs are wrong, by how much at most, and how many there are. Everything is
 * compared inside the runtime, so that only scalars cross. Changes `model`.
 */
export function tapIntegerProducts(model: Model): { readonly taps: readonly IntegerTap[]; readonly notTapped: number } {
  const { products, notTapped } = tapProducts(model.graph);
  const taps = products.map(({ name, scalars }, ordinal) => {
    const [wrong, largest, outputs] = scalars.map((scalar, index) => {
      scalar.name = `optimum.check.${ordinal}.${['wrong', 'largest', 'outputs'][index]}`;
      scalar.type = tensorType('float64', []);
      model.graph.addOutput(scalar);
      return scalar.name;
    }) as [string, string, string];
    return { node: name, wrong, largest, outputs };
  });
  return { taps, notTapped };
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
