import type { Graph } from './graph.ts';
import { type Model, walkValues } from './model.ts';
import type { Value } from './value.ts';

/**
 * Names for every value of a model. Given names are kept; a value without one, or whose name is taken in its graph or
 * hides a value that its graph can read, gets a fresh name that no value of the model has. Inputs and outputs of graphs
 * come first, so that public names never change. Deterministic.
 */
export function assignNames(model: Model): ReadonlyMap<Value, string> {
  const taken = new Set<string>();
  for (const value of walkValues(model)) if (value.name) taken.add(value.name);
  const naming: Naming = { names: new Map(), taken };
  for (const graph of [model.graph, ...model.functions.map(({ body }) => body)]) nameGraph(graph, naming, undefined);
  return naming.names;
}

interface Naming {
  readonly names: Map<Value, string>;
  /** Every name that some value of the model has. */
  readonly taken: Set<string>;
}

/** What the graphs inside a graph can read at a node: names defined before it, and those around the graph. */
interface Visible {
  readonly names: Set<string>;
  readonly outer: Visible | undefined;
}

function isVisible(name: string, visible: Visible | undefined): boolean {
  for (let scope = visible; scope; scope = scope.outer) if (scope.names.has(name)) return true;
  return false;
}

function nameGraph(graph: Graph, { names, taken }: Naming, outer: Visible | undefined): void {
  const own = new Set<string>();
  const visible: Visible = { names: new Set(), outer };
  const give = (value: Value, base: string): void => {
    if (names.has(value)) return;
    const isFree = value.name && !own.has(value.name) && !isVisible(value.name, outer);
    const name = isFree ? (value.name as string) : fresh(base, taken);
    names.set(value, name);
    own.add(name);
  };
  const show = (value: Value): void => void visible.names.add(names.get(value) as string);
  for (const value of graph.inputs) give(value, 'input');
  for (const value of graph.outputs) give(value, 'output');
  for (const value of graph.initializers) give(value, 'weight');
  for (const node of graph.nodes()) for (const value of node.outputs) if (value) give(value, `${node.op}_output`);
  for (const value of [...graph.inputs, ...graph.initializers]) show(value);
  for (const node of graph.nodes()) {
    if (node.attributes.size > 0) for (const inner of node.subgraphs) nameGraph(inner, { names, taken }, visible);
    for (const value of node.outputs) if (value) show(value);
  }
}

/** The set grows by one name a call, so its size is a good first guess for a free ordinal. */
function fresh(base: string, taken: Set<string>): string {
  let ordinal = taken.size;
  while (taken.has(`${base}_${ordinal}`)) ordinal++;
  const name = `${base}_${ordinal}`;
  taken.add(name);
  return name;
}
