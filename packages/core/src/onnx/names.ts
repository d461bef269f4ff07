import { type Graph, type Model, type Value, walkValues } from '../ir/index.ts';

/**
 * Names for every value of a model. Given names are kept; a value without one, or whose name is taken by another value
 * in its scope, gets a fresh name that no value of the model has. Inputs and outputs of graphs come first, so that
 * public names never change. Deterministic.
 */
export function assignNames(model: Model): ReadonlyMap<Value, string> {
  const taken = new Set<string>();
  for (const value of walkValues(model)) if (value.name) taken.add(value.name);
  const names = new Map<Value, string>();
  for (const graph of [model.graph, ...model.functions.map(({ body }) => body)])
    nameGraph(graph, names, taken, new Map());
  return names;
}

function nameGraph(
  graph: Graph,
  names: Map<Value, string>,
  taken: Set<string>,
  outer: ReadonlyMap<string, Value>,
): void {
  const scope = new Map(outer);
  const give = (value: Value, base: string): void => {
    if (names.has(value)) return;
    const isFree = value.name !== undefined && value.name !== '' && !scope.has(value.name);
    const name = isFree ? (value.name as string) : fresh(base, taken);
    names.set(value, name);
    scope.set(name, value);
  };
  for (const value of graph.inputs) give(value, 'input');
  for (const value of graph.outputs) give(value, 'output');
  for (const value of graph.initializers) give(value, 'weight');
  for (const node of graph.nodes()) {
    for (const value of node.outputs) if (value) give(value, `${node.op}_output`);
  }
  for (const node of graph.nodes()) for (const inner of node.subgraphs) nameGraph(inner, names, taken, scope);
}

/** The set grows by one name a call, so its size is a good first guess for a free ordinal. */
function fresh(base: string, taken: Set<string>): string {
  let ordinal = taken.size;
  while (taken.has(`${base}_${ordinal}`)) ordinal++;
  const name = `${base}_${ordinal}`;
  taken.add(name);
  return name;
}
